//! The configuration from the outside: presets, files, assignments, and what is refused with which words.

use afterimage::config::{
    ChainKind, Config, ConfigError, LayerSpec, Precision, load, parse, preset, presets, set,
    to_toml, with_data,
};
use proptest::prelude::*;

/// What `load` says to the digits preset with `assignments`.
fn refusal(assignments: &[&str]) -> String {
    let sets: Vec<String> = assignments.iter().map(|text| text.to_string()).collect();
    load("digits-langevin", &sets)
        .expect_err(&format!("{assignments:?} should be refused"))
        .to_string()
}

/// The digits preset with `assignments`.
fn digits_with(assignments: &[&str]) -> Config {
    let sets: Vec<String> = assignments.iter().map(|text| text.to_string()).collect();
    load("digits-langevin", &sets).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn presets_parse_and_round_trip() {
    assert_eq!(presets().len(), 16);
    for preset in presets() {
        let config = load(preset.name, &[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parse(&to_toml(&config), preset.name).unwrap(), config);
        assert!(
            preset.toml.starts_with("# ") && preset.summary.chars().count() > 10,
            "{}: the first line is its summary",
            preset.name
        );
    }
    assert_eq!(preset("mnist").map(|preset| preset.name), Some("mnist"));
    assert_eq!(preset("MNIST"), None);
}

#[test]
fn precision_is_full_unless_asked_for_and_kept() {
    assert_eq!(digits_with(&[]).run.precision, Precision::Full);
    let config = digits_with(&["run.precision=mixed"]);
    assert_eq!(config.run.precision, Precision::Mixed);
    assert_eq!(parse(&to_toml(&config), "written").unwrap(), config);
    let text = refusal(&["run.precision=half"]);
    assert!(
        text.contains("run.precision") && text.contains("full, mixed"),
        "{text}"
    );
}

#[test]
fn planar_presets_name_their_own_source() {
    for name in [
        "digits",
        "cifar10",
        "8gaussians",
        "2spirals",
        "checkerboard",
        "rings",
        "moons",
        "pinwheel",
    ] {
        assert_eq!(load(name, &[]).unwrap().data.source.name, name);
    }
}

#[test]
fn printed_toml_is_clean_complete_and_commented() {
    let mut config = Config::default();
    config.sampler.step_size = 0.005;
    config.optimiser.epsilon = 1e-8;
    config.data.path = "C:\\a \"quoted\"\nname".into();
    let text = to_toml(&config);
    assert!(text.contains("\nstep_size = 0.005\n"), "{text}");
    assert!(text.contains("\nepsilon = 1e-8\n"), "{text}");
    assert_eq!(parse(&text, "printed").unwrap(), config);

    // Serde's own view of the struct, which the printed text must cover.
    config.sampler.noise = Some(0.25);
    let text = to_toml(&config);
    let printed: toml::Table = text.parse().unwrap();
    let serialised = toml::Table::try_from(&config).unwrap();
    for (section, values) in &serialised {
        let names = |table: &toml::Table| table.keys().cloned().collect::<Vec<_>>();
        let printed = printed[section].as_table().unwrap();
        assert_eq!(names(printed), names(values.as_table().unwrap()));
        for key in printed.keys() {
            let line = text
                .lines()
                .position(|line| line.starts_with(&format!("{key} =")));
            let above = text.lines().nth(line.unwrap() - 1).unwrap();
            assert!(above.starts_with("# "), "{section}.{key} has no comment");
        }
    }
}

#[test]
fn an_absent_key_is_printed_as_a_comment() {
    let text = to_toml(&Config::default());
    assert!(text.contains("\n# noise is absent\n"), "{text}");
}

#[test]
fn files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let path = path.to_str().unwrap();

    let missing = load(path, &[]).unwrap_err();
    assert!(matches!(missing, ConfigError::Read { .. }), "{missing}");

    std::fs::write(path, "[run]\nsteps = 3\n").unwrap();
    let config = load(path, &["run.batch=7".into()]).unwrap();
    assert_eq!((config.run.steps, config.run.batch), (3, 7));

    std::fs::write(path, "[run]\nstep = 3\n").unwrap();
    let unknown = load(path, &[]).unwrap_err().to_string();
    assert!(
        unknown.contains(path) && unknown.contains("`run.steps`"),
        "{unknown}"
    );

    std::fs::write(path, "[run]\nsteps = = 3\n").unwrap();
    let syntax = load(path, &[]).unwrap_err().to_string();
    assert!(
        syntax.contains(path) && syntax.contains("line 2"),
        "{syntax}"
    );
    assert!(!syntax.contains('\n'), "{syntax}");
}

/// What a shell puts in the place of a command's output is no regular file, either.
#[cfg(unix)]
#[test]
fn what_can_be_read_is_a_file() {
    assert_eq!(load("/dev/null", &[]).unwrap(), Config::default());
    let folder = tempfile::tempdir().unwrap();
    let error = load(folder.path().to_str().unwrap(), &[]).unwrap_err();
    assert!(matches!(error, ConfigError::NotFound { .. }), "{error}");
    // A missing file is not taken for a misspelt preset, however its ending is written.
    for missing in ["missing.toml", "MISSING.TOML"] {
        let error = load(missing, &[]).unwrap_err();
        assert!(matches!(error, ConfigError::Read { .. }), "{error}");
    }
}

#[test]
fn an_unknown_preset_names_the_nearest() {
    let message = load("digit", &[]).unwrap_err().to_string();
    assert!(
        message.contains("`digit`") && message.contains("`digits`"),
        "{message}"
    );
    let message = load("spirals", &[]).unwrap_err().to_string();
    assert!(message.contains("`2spirals`"), "{message}");
}

#[test]
fn unknown_names_name_the_nearest() {
    for (text, given, nearest) in [
        ("[optimizer]\nrate = 1", "`optimizer`", "`optimiser`"),
        (
            "[optimiser]\nRate = 1",
            "`optimiser.Rate`",
            "`optimiser.rate`",
        ),
        // A key that lives elsewhere is not a misspelling of one that is here.
        ("[run]\nrate = 1", "`run.rate`", "`optimiser.rate`"),
        ("interval = 3", "`interval`", "`snapshot.interval`"),
        ("[sampler]\nnoize = 1", "`sampler.noize`", "`sampler.noise`"),
        (
            "[network]\nlayers = [{ dense = 1 }, { conv = 1, kernal = 1 }]",
            "`network.layers[1].kernal`",
            "`kernel`",
        ),
        (
            "[network]\nlayers = [{ dens = 1 }]",
            "`network.layers[0].dens`",
            "`dense`",
        ),
        (
            "[network]\nlayers = [{ dense = 1, outputs = 2 }]",
            "`network.layers[0].outputs`",
            "`dense`",
        ),
    ] {
        let message = parse(text, "here.toml").unwrap_err().to_string();
        assert!(message.starts_with("here.toml: "), "{message}");
        assert!(
            message.contains(given) && message.contains(nearest),
            "{message}"
        );
    }
}

#[test]
fn wrong_types_name_the_key() {
    for (text, key, wanted) in [
        ("data = 3", "`data`", "section"),
        ("[data]\nsource = 3", "`data.source`", "text"),
        (
            "[data]\nlow = \"dark\"",
            "`data.low`",
            "number, not the text \"dark\"",
        ),
        (
            "[data]\nlimit = -1",
            "`data.limit`",
            "whole number, 0 or above, not -1",
        ),
        ("[data]\nlimit = 1.5", "`data.limit`", "whole number"),
        (
            "[network]\nzero_head = 1",
            "`network.zero_head`",
            "true or false",
        ),
        (
            "[network]\nlayers = 3",
            "`network.layers`",
            "list of layers",
        ),
        (
            "[network]\nlayers = [3]",
            "`network.layers[0]`",
            "dense = 64",
        ),
        (
            "[network]\nlayers = [{ kernel = 3 }]",
            "`network.layers[0]`",
            "keys (kernel)",
        ),
        (
            "[network]\nlayers = [{ conv = 3 }]",
            "`network.layers[0]`",
            "kernel = 3",
        ),
        (
            "[network]\nlayers = [{ conv = 3, kernel = 1, dense = 1 }]",
            "`network.layers[0]`",
            "kernel = 3 } or",
        ),
        (
            "[network]\nlayers = [{ dense = 1.0 }]",
            "`network.layers[0].dense`",
            "whole number",
        ),
    ] {
        let message = parse(text, "here.toml").unwrap_err().to_string();
        assert!(message.starts_with("here.toml"), "{message}");
        assert!(
            message.contains(key) && message.contains(wanted),
            "{message}"
        );
    }
}

#[test]
fn assignments_take_every_form_of_value() {
    let config = digits_with(&[
        "data.path=/x/y",
        "optimiser.rate=1e-3",
        "network.layers=[{dense=64},{dense=1}]",
        "network.zero_head = false",
        "sampler.noise=1",
        "sampler.chains=\"data\"",
        "data.source=8gaussians",
    ]);
    assert_eq!(config.data.path, "/x/y");
    assert_eq!(config.optimiser.rate, 1e-3);
    assert_eq!(
        config.network.layers,
        [
            LayerSpec::Dense { features: 64 },
            LayerSpec::Dense { features: 1 }
        ]
    );
    assert!(!config.network.zero_head);
    assert_eq!(config.sampler.noise, Some(1.0));
    assert_eq!(config.sampler.chains, ChainKind::Data);
    assert_eq!(config.data.source.name, "8gaussians");

    // Text that happens to be TOML of another type stays text, and may itself hold an equals sign.
    assert_eq!(digits_with(&["data.path=/2024"]).data.path, "/2024");
    assert!(
        digits_with(&["data.path=2024"])
            .data
            .path
            .ends_with("/2024")
    );
    assert_eq!(digits_with(&["data.path=/a=b"]).data.path, "/a=b");
    // The last one wins; an empty one puts the default back.
    assert_eq!(digits_with(&["run.seed=2", "run.seed=3"]).run.seed, 3);
    assert_eq!(
        digits_with(&["sampler.noise=1", "sampler.noise="])
            .sampler
            .noise,
        None
    );
    // One that breaks a range may be mended by a later one.
    assert_eq!(digits_with(&["data.low=2", "data.high=3"]).data.low, 2.0);
}

#[test]
fn malformed_assignments_are_refused() {
    for (assignment, words) in [
        ("run.seed", "run.seed=7"),
        ("run=7", "section.key=value"),
        ("sede=7", "did you mean"),
        ("seed=7", "`run.seed`"),
        ("steps=10", "`sampler.steps` or `run.steps`?"),
        ("stepz=10", "`sampler.steps` or `run.steps`?"),
        ("optimiser.steps=10", "`sampler.steps` or `run.steps`?"),
        ("noise=0.1", "`data.noise` or `sampler.noise`?"),
        ("optimizer=adam", "`optimiser`"),
        ("rum.seed=7", "`run.seed`"),
        ("run.sede=7", "`run.seed`"),
        ("run.seed=x", "not the text \"x\""),
        ("network.layers=[{dense=1}", "list of layers"),
        ("run.seed=1\nbatch=2", "not the text \"1\\nbatch=2\""),
    ] {
        let message = refusal(&[assignment]);
        let found = message.contains(words);
        assert!(found && !message.contains('\n'), "{assignment}: {message}");
    }
}

#[test]
fn an_assignment_changes_a_bare_table() {
    let mut table = toml::Table::new();
    set(&mut table, "run.seed=4").unwrap();
    assert_eq!(table["run"]["seed"].as_integer(), Some(4));
    let mut misshapen = toml::Table::from_iter([("run".to_string(), toml::Value::from(1))]);
    assert!(set(&mut misshapen, "run.seed=4").is_err());
}

#[test]
fn every_range_is_checked() {
    for (assignments, words) in [
        ("data.low=inf", "data.low = inf"),
        ("data.high=nan", "data.high = NaN"),
        (
            "data.low=1",
            "data.low = 1.0 is not allowed: it must lie below data.high = 1.0",
        ),
        ("data.noise=-1", "data.noise = -1.0"),
        ("network.layers=[]", "at least one layer"),
        (
            "network.layers=[{conv=0,kernel=1}]",
            "network.layers[0].conv = 0",
        ),
        (
            "network.layers=[{conv=1,kernel=0}]",
            "network.layers[0].kernel = 0",
        ),
        (
            "network.layers=[{conv=1,kernel=1,stride=0}]",
            "network.layers[0].stride = 0",
        ),
        (
            "network.layers=[{conv=1,kernel=17,stride=17}]",
            "network.layers[0].stride = 17",
        ),
        (
            "network.layers=[{conv=1,kernel=2,padding=2}]",
            "network.layers[0].padding = 2",
        ),
        ("network.layers=[{dense=0}]", "network.layers[0].dense = 0"),
        (
            "network.layers=[{dense=1},{conv=1,kernel=1}]",
            "come before every dense layer",
        ),
        ("network.slope=1.5", "network.slope = 1.5"),
        ("network.base_mean=inf", "network.base_mean = inf"),
        ("network.base_std=0", "network.base_std = 0.0"),
        (
            "network.first_weight_scale=0",
            "network.first_weight_scale = 0.0",
        ),
        (
            "network.first_bias_scale=-1",
            "network.first_bias_scale = -1.0",
        ),
        ("objective.noise_ratio=0", "objective.noise_ratio = 0"),
        (
            "objective.normaliser_rate=0",
            "objective.normaliser_rate = 0.0",
        ),
        ("objective.energy_l2=-1", "objective.energy_l2 = -1.0"),
        (
            "snapshot.interval=0",
            "snapshot.interval = 0 is not allowed: it must be 1 or above",
        ),
        ("sampler.steps=0", "sampler.steps = 0"),
        ("sampler.step_size=0", "sampler.step_size = 0.0"),
        ("sampler.step_size=1e300", "sampler.step_size = inf"),
        ("sampler.noise=-1", "sampler.noise = -1.0"),
        ("sampler.clip=-1", "sampler.clip = -1.0"),
        ("sampler.start_std=0", "sampler.start_std = 0.0"),
        ("sampler.restart=1.5", "sampler.restart = 1.5"),
        ("sampler.restart=nan", "sampler.restart = NaN"),
        (
            "sampler.buffer=127",
            "run.batch × objective.noise_ratio = 128",
        ),
        (
            "objective.noise_ratio=33 sampler.buffer=4096",
            "objective.noise_ratio = 4224",
        ),
        ("optimiser.rate=nan", "optimiser.rate = NaN"),
        ("optimiser.rate=0", "optimiser.rate = 0.0"),
        ("optimiser.final_rate=2", "optimiser.final_rate = 2.0"),
        (
            "optimiser.schedule=exponential optimiser.final_rate=0",
            "exponential schedule",
        ),
        ("optimiser.beta1=1", "optimiser.beta1 = 1.0"),
        ("optimiser.beta2=-0.1", "optimiser.beta2 = -0.1"),
        ("optimiser.epsilon=0", "optimiser.epsilon = 0.0"),
        ("optimiser.weight_decay=-1", "optimiser.weight_decay = -1.0"),
        (
            "optimiser.gradient_clip=-1",
            "optimiser.gradient_clip = -1.0",
        ),
        ("optimiser.average=1", "optimiser.average = 1.0"),
        ("run.steps=0", "run.steps = 0"),
        ("run.batch=0", "run.batch = 0"),
        ("run.slice=0", "run.slice = 0"),
        (
            "run.batch=9223372036854775807 objective.noise_ratio=9",
            "run.batch = 9223372036854775807",
        ),
        ("run.memory=0", "run.memory = 0"),
        ("run.samples=0", "run.samples = 0"),
        ("run.sample_steps=0", "run.sample_steps = 0"),
    ] {
        let message = refusal(&assignments.split(' ').collect::<Vec<_>>());
        assert!(message.contains(words), "{assignments}: {message}");
    }
    // Chains that live in no buffer need none.
    digits_with(&["sampler.chains=short_run", "sampler.buffer=0"]);
}

#[test]
fn a_seed_that_toml_cannot_hold_is_refused() {
    let mut config = Config::default();
    config.run.seed = u64::MAX;
    let message = config.validate().unwrap_err().to_string();
    assert!(
        message.contains("run.seed = 18446744073709551615"),
        "{message}"
    );
}

#[test]
fn every_enumeration_names_the_nearest() {
    for (assignment, nearest) in [
        ("data.source=8gausians", "`8gaussians`"),
        ("network.activation=SiLU", "`silu`"),
        ("network.base=gausian", "`gaussian`"),
        ("objective.generator=logit", "`logistic`"),
        ("objective.normaliser=learn", "`learned`"),
        ("sampler.chains=persist", "`persistent`"),
        ("sampler.bounds=clip", "`clamp`"),
        ("sampler.start=unifrom", "`uniform`"),
        ("optimiser.schedule=cos", "`cosine`"),
    ] {
        let (key, value) = assignment.split_once('=').unwrap();
        let message = refusal(&[assignment]);
        assert!(
            message.contains(&format!("{key} = \"{value}\"")),
            "{message}"
        );
        assert!(message.contains(nearest), "{message}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,200}") {
        let _ = parse(&text, "random");
    }

    /// Random values under real names reach further than random text.
    #[test]
    fn assigning_never_panics(
        path in "(data|network|run|[a-z.]{0,5})\\.?(source|layers|seed|[a-z]{0,4})",
        value in "(\\[\\{(dense|conv)=-?[0-9]{1,20}\\}\\]|-?[0-9]{1,25}|.{0,20})",
    ) {
        let _ = load("moons", &[format!("{path}={value}")]);
    }

    #[test]
    fn every_finite_value_survives_printing(
        step_size in proptest::num::f32::POSITIVE | proptest::num::f32::SUBNORMAL,
        low in proptest::num::f32::NEGATIVE,
        seed in 0..=i64::MAX as u64,
        path in ".*",
    ) {
        let mut config = Config::default();
        config.sampler.step_size = step_size.abs();
        config.data.low = low;
        config.run.seed = seed;
        config.data.path = path;
        prop_assume!(config.validate().is_ok());
        prop_assert_eq!(parse(&to_toml(&config), "printed").unwrap(), config);
    }
}

/// A generated set has fresh draws, so that keeping some of it back would be without effect.
#[test]
fn only_finite_sets_hold_samples_out() {
    let refused = load("8gaussians", &["data.held_out=0.2".into()]).unwrap_err();
    assert!(refused.to_string().contains("data.held_out"), "{refused}");
    let refused = load("digits-langevin", &["data.held_out=1".into()]).unwrap_err();
    assert!(refused.to_string().contains("below 1"), "{refused}");
    let digits = load("digits-langevin", &["data.held_out=0".into()]).unwrap();
    // What the run's own data hold out is no setting of other data.
    let sets = |text: &str| vec![text.to_owned()];
    let moons = with_data(&digits, &sets("data.source=moons")).unwrap();
    assert_eq!(moons.held_out, 0.1);
    let cut = with_data(&digits, &sets("data.limit=5")).unwrap();
    assert_eq!(cut.held_out, 0.0);
}
