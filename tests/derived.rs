//! One change is one flag: what follows from a setting is derived, and what cannot be is refused all at once, with the flags
//! that make it right.

use afterimage::config::{
    ActivationKind, BaseKind, BoundsKind, ChainKind, Config, ConfigError, Criterion,
    InitialWeights, Interval, NormaliserKind, Precision, Resolved, SamplerKind, Schedule,
    SnapshotKind, StartKind, Violation, Word, presets, resolve,
};

fn resolved(source: &str, sets: &[&str]) -> Result<Resolved, ConfigError> {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    resolve(source, &sets)
}

/// `source` with `sets`, and what was derived as `key = value`.
#[track_caller]
fn derived(source: &str, sets: &[&str]) -> (Config, Vec<String>) {
    let resolved = resolved(source, sets).unwrap_or_else(|error| panic!("{sets:?}: {error}"));
    let derived = resolved.derived.iter().map(|derived| {
        assert!(!derived.why.is_empty());
        let value = derived.value.as_deref().unwrap_or("absent");
        format!("{} = {value}", derived.key)
    });
    (resolved.config, derived.collect())
}

#[track_caller]
fn violations(source: &str, sets: &[&str]) -> Vec<Violation> {
    let error = resolved(source, sets).expect_err(&format!("{sets:?} should be refused"));
    assert!(!error.to_string().contains('\n'), "{error}");
    let ConfigError::Refused { violations } = error else {
        panic!("{sets:?}: {error}");
    };
    violations
}

/// The flags that `violations` name.
fn fixes(violations: &[Violation]) -> Vec<String> {
    let mut fixes: Vec<String> = Vec::new();
    for fix in violations.iter().flat_map(|violation| &violation.fixes) {
        if !fixes.contains(fix) {
            fixes.push(fix.clone());
        }
    }
    fixes
}

#[test]
fn what_follows_from_one_flag_is_derived() {
    for (preset, set, wanted) in [
        (
            "8gaussians",
            "objective.generator=contrastive-divergence",
            &[
                "objective.normaliser = \"zero\"",
                "snapshot.interval = 1",
                "sampler.reuse = 1",
            ][..],
        ),
        (
            "8gaussians",
            "objective.generator=ranking",
            &["objective.normaliser = \"zero\""],
        ),
        (
            "digits-langevin",
            "snapshot.kind=mixture",
            &["objective.normaliser = \"profiled\""],
        ),
        (
            "digits-langevin",
            "snapshot.kind=gaussian",
            &["objective.normaliser = \"profiled\""],
        ),
        (
            "digits-langevin",
            "snapshot.kind=uniform",
            &["objective.normaliser = \"profiled\""],
        ),
        ("digits-langevin", "snapshot.kind=ema", &[]),
        ("8gaussians", "snapshot.interval=1", &["sampler.reuse = 1"]),
        ("8gaussians", "snapshot.interval=7", &["sampler.reuse = 1"]),
        // The largest share of what the preset asks for.
        ("8gaussians", "snapshot.interval=12", &["sampler.reuse = 4"]),
        ("8gaussians", "snapshot.interval=10", &[]),
        ("8gaussians", "snapshot.interval=adaptive", &[]),
        (
            "8gaussians",
            "sampler.reuse=10",
            &["snapshot.interval = 10"],
        ),
        (
            "digits-langevin",
            "sampler.reuse=3",
            &["snapshot.interval = 3"],
        ),
        ("8gaussians", "run.batch=5000", &["sampler.buffer = 20000"]),
        (
            "digits-langevin",
            "objective.noise_ratio=33",
            &["sampler.buffer = 4224"],
        ),
        ("mnist-density", "run.steps=20", &["optimiser.warmup = 20"]),
        ("8gaussians", "sampler.start=data", &["sampler.jumps = 0"]),
        ("8gaussians", "sampler.anneal=4", &["sampler.adapt = false"]),
        (
            "digits-density",
            "sampler.steps=1",
            &["sampler.adapt = false"],
        ),
        ("cifar10", "sampler.kind=mala", &["sampler.noise = absent"]),
        (
            "cifar10-residual",
            "sampler.kind=hmc",
            &[
                "sampler.noise = absent",
                "sampler.clip = 0.0",
                "sampler.bounds = \"none\"",
            ],
        ),
        (
            "8gaussians-mlp",
            "sampler.jumps=3",
            &["sampler.noise = absent"],
        ),
        (
            "digits-langevin",
            "network.spectral_norm=true",
            &["network.zero_head = false"],
        ),
    ] {
        let (config, found) = derived(preset, &[set]);
        assert_eq!(found, wanted, "{preset} {set}");
        // What was derived is what the run gets, and it stays so when it is read again.
        assert_eq!(config.validate().map_err(|error| error.to_string()), Ok(()));
        let text = afterimage::config::to_toml(&config);
        assert_eq!(afterimage::config::parse(&text, "it").unwrap(), config);
    }
    let (config, _) = derived(
        "8gaussians",
        &["objective.generator=contrastive-divergence"],
    );
    assert_eq!(config.snapshot.interval, Interval::Every(1));
    assert_eq!(config.sampler.reuse, Interval::Every(1));
}

#[test]
fn presets_are_taken_as_they_are() {
    for preset in presets() {
        assert_eq!(derived(preset.name, &[]).1, [""; 0], "{}", preset.name);
    }
}

#[test]
fn a_chosen_value_wins_over_a_derived_one() {
    let kind = "snapshot.kind=mixture";
    let (config, found) = derived(
        "digits-langevin",
        &[kind, "objective.normaliser=importance"],
    );
    assert_eq!(config.objective.normaliser, NormaliserKind::Importance);
    assert_eq!(found, [""; 0]);
    // Whichever of the two was chosen, the other follows.
    let (config, found) = derived("8gaussians-mlp", &["sampler.jumps=3"]);
    assert_eq!((config.sampler.jumps, config.sampler.noise), (3, None));
    assert_eq!(found.len(), 1);
    let langevin = "sampler.kind=langevin";
    let (config, found) = derived("8gaussians", &[langevin, "sampler.noise=0.2"]);
    let (jumps, noise) = (config.sampler.jumps, config.sampler.noise);
    assert_eq!((jumps, noise, found.len()), (0, Some(0.2), 1));

    // Both chosen: nothing is derived, both are named.
    let both = violations("digits-langevin", &[kind, "objective.normaliser=zero"]);
    assert_eq!(both.len(), 1);
    assert_eq!(both[0].fixes, ["objective.normaliser=profiled"]);
}

#[test]
fn a_file_chooses_and_auto_does_not() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("mine.toml");
    let file = path.to_str().expect("is text");
    let text = "[snapshot]\nkind = \"mixture\"\n[objective]\nnormaliser = ";
    std::fs::write(&path, format!("{text}\"zero\"\n")).expect("writes");
    assert_eq!(violations(file, &[]).len(), 1);
    let (config, _) = derived(file, &["objective.normaliser=auto"]);
    assert_eq!(config.objective.normaliser, NormaliserKind::Profiled);

    std::fs::write(&path, format!("{text}\"auto\"\n[run]\nbatch = 64\n")).expect("writes");
    let (config, found) = derived(file, &[]);
    assert_eq!(config.objective.normaliser, NormaliserKind::Profiled);
    assert_eq!(found, ["objective.normaliser = \"profiled\""]);

    // Over a preset, `auto` is what the preset says; an empty value is the default, and chosen.
    assert_eq!(
        derived("8gaussians", &["sampler.reuse=auto"])
            .0
            .sampler
            .reuse,
        Interval::Every(5)
    );
    assert_eq!(
        derived("8gaussians", &["sampler.reuse="]).0.sampler.reuse,
        Interval::Every(1)
    );
    // The last one counts.
    let sets = ["snapshot.interval=7", "snapshot.interval=auto"];
    assert_eq!(
        derived("8gaussians", &sets).0.snapshot.interval,
        Interval::Every(5)
    );

    // Also after one that puts back the default, which a preset is not.
    let sets = ["sampler.reuse=", "sampler.reuse=auto"];
    assert_eq!(
        derived("8gaussians", &sets).0.sampler.reuse,
        Interval::Every(5)
    );
    let sets = ["sampler.reuse=auto", "sampler.reuse="];
    assert_eq!(
        derived("8gaussians", &sets).0.sampler.reuse,
        Interval::Every(1)
    );

    // Where nothing is derived, there is no auto.
    let error = resolved("digits-langevin", &["run.batch=auto"]).expect_err("is refused");
    assert!(error.to_string().contains("whole number"), "{error}");
    // And where it is, the comment says so.
    let text = afterimage::config::to_toml(&config);
    let above = text.split("\nnormaliser = ").next().expect("has one");
    assert!(above.ends_with("Or \"auto\"."), "{above}");
    let above = text.split("\nbatch = ").next().expect("has one");
    assert!(!above.ends_with("Or \"auto\"."), "{above}");
}

#[test]
fn a_refusal_says_all_that_is_wrong_with_the_flags_that_mend_it() {
    let sets = [
        "objective.generator=contrastive-divergence",
        "objective.normaliser=learned",
        "snapshot.kind=ema",
        "snapshot.interval=5",
        "sampler.start=data",
        "sampler.jumps=2",
        "optimiser.warmup=30",
        "run.steps=20",
        "run.samples=0",
    ];
    let found = violations("8gaussians", &sets);
    let keys: Vec<&str> = found
        .iter()
        .map(|violation| violation.key.as_str())
        .collect();
    for key in [
        "objective.normaliser",
        "snapshot.kind",
        "snapshot.interval",
        "sampler.start",
        "optimiser.warmup",
        "run.samples",
    ] {
        assert!(keys.contains(&key), "{key} is missing in {keys:?}");
    }
    for violation in &found {
        assert!(!violation.fixes.is_empty(), "{violation}");
        for fix in &violation.fixes {
            assert!(violation.to_string().contains(&format!("--set {fix}")));
        }
    }
    let fixes = fixes(&found);
    let mended: Vec<&str> = sets
        .iter()
        .copied()
        .chain(fixes.iter().map(String::as_str))
        .collect();
    derived("8gaussians", &mended);
    // A program that fills the struct is told the same.
    let mut config = derived("digits-langevin", &[]).0;
    config.snapshot.kind = SnapshotKind::Mixture;
    config.optimiser.warmup = config.run.steps + 1;
    let error = config.validate().expect_err("is refused").to_string();
    for flag in [
        "--set objective.normaliser=profiled",
        "--set optimiser.warmup=1200",
    ] {
        assert!(error.contains(flag), "{error}");
    }
}

#[test]
fn a_key_without_a_reader_names_the_reader() {
    for (preset, set, fix) in [
        ("8gaussians", "sampler.noise=0.1", "sampler.kind=langevin"),
        (
            "digits-langevin",
            "objective.power=0.7",
            "objective.generator=power",
        ),
        ("digits-langevin", "snapshot.decay=0.9", "snapshot.kind=ema"),
        // Not a reader, but as little a thing that follows.
        (
            "cifar10-residual",
            "network.zero_head=true",
            "network.spectral_norm=false",
        ),
        (
            "digits-langevin",
            "snapshot.ess_threshold=0.3",
            "snapshot.interval=adaptive",
        ),
        // Five could read it.
        (
            "digits-langevin",
            "objective.clamp=9",
            "objective.clamp=10.0",
        ),
    ] {
        let found = violations(preset, &[set]);
        assert_eq!(fixes(&found), [fix], "{preset} {set}");
        derived(preset, &[set, fix]);
    }
}

/// Of a value that is out of its range, the nearest that is not is named, and never taken without being asked for.
#[test]
fn the_nearest_bound_is_named() {
    for (set, fix) in [
        ("run.samples=0", "run.samples=1"),
        ("run.samples=20000", "run.samples=10000"),
        ("run.steps=0", "run.steps=1"),
        ("run.slice=0", "run.slice=1"),
        ("run.seed=9223372036854775807 run.memory=0", "run.memory=1"),
        ("sampler.jumps=1001", "sampler.jumps=1000"),
        ("sampler.restart=1.5", "sampler.restart=1.0"),
        ("sampler.restart=-inf", "sampler.restart=0.0"),
        ("data.noise=-1", "data.noise=0.0"),
        ("snapshot.interval=0", "snapshot.interval=1"),
        (
            "objective.generator=power objective.power=1e30",
            "objective.power=5.0",
        ),
    ] {
        let sets: Vec<&str> = set.split(' ').collect();
        let preset = match set.starts_with("sampler.jumps") {
            true => "8gaussians",
            false => "digits-langevin",
        };
        let found = violations(preset, &sets);
        assert_eq!(fixes(&found), [fix], "{set}");
        derived(preset, &[&sets[..], &[fix]].concat());
    }
    for set in ["sampler.restart=nan", "optimiser.rate=0"] {
        assert_eq!(fixes(&violations("digits-langevin", &[set])), [""; 0]);
    }
}

/// As in a file, but for quotes, which a shell would drop.
#[test]
fn values_in_flags_are_toml() {
    let sets = ["sampler.temperature=1e20", "sampler.anneal=2"];
    let found = violations("digits-langevin", &sets);
    let [fix] = &fixes(&found)[..] else {
        panic!("{found:?}");
    };
    assert_eq!(fix, "sampler.anneal=1e20");
    derived("digits-langevin", &[&sets[..], &[fix.as_str()]].concat());
    let sets = ["sampler.kind=hmc", "sampler.bounds=clamp"];
    let found = violations("8gaussians", &sets);
    assert!(
        fixes(&found).iter().all(|fix| !fix.contains('"')) && !fixes(&found).is_empty(),
        "{found:?}"
    );
}

/// Keys that presets set stay where nothing reads them; whoever chose one is told.
#[test]
fn what_was_chosen_and_is_not_read_is_said() {
    for (preset, sets, wanted) in [
        (
            "digits-langevin",
            "snapshot.kind=ema snapshot.interval=5",
            "snapshot.interval = 5 has no effect with snapshot.kind = \"ema\": only `copy`",
        ),
        (
            "digits-langevin",
            "snapshot.kind=ema sampler.reuse=5",
            "sampler.reuse = 5 has no effect with snapshot.kind = \"ema\"",
        ),
        (
            "digits-langevin",
            "snapshot.kind=gaussian sampler.reuse=2",
            "sampler.reuse = 2 has no effect with snapshot.kind = \"gaussian\"",
        ),
        (
            "digits-langevin",
            "snapshot.kind=uniform sampler.buffer=500",
            "sampler.buffer = 500 has no effect with snapshot.kind = \"uniform\": fixed noise",
        ),
        (
            "8gaussians",
            "network.base=none network.base_std=3",
            "network.base_std = 3.0 has no effect with network.base = \"none\"",
        ),
        (
            "digits-langevin",
            "sampler.chains=short_run sampler.buffer=500",
            "sampler.buffer = 500 has no effect with sampler.chains = \"short_run\"",
        ),
        (
            "digits-langevin",
            "sampler.chains=data sampler.restart=0.5",
            "sampler.restart = 0.5 has no effect with sampler.chains = \"data\"",
        ),
        (
            "cifar10",
            "optimiser.final_rate=0.1",
            "optimiser.final_rate = 0.1 has no effect with optimiser.schedule = \"constant\"",
        ),
        (
            "digits-langevin",
            "network.slope=0.1",
            "network.slope = 0.1 has no effect with network.activation = \"silu\"",
        ),
        (
            "digits-langevin",
            "sampler.start=uniform sampler.start_std=2",
            "sampler.start_std = 2.0 has no effect with sampler.start = \"uniform\"",
        ),
    ] {
        let sets: Vec<&str> = sets.split(' ').collect();
        let ignored = resolved(preset, &sets).expect("loads").ignored;
        let [sentence] = &ignored[..] else {
            panic!("{sets:?}: {ignored:?}");
        };
        assert!(sentence.starts_with(wanted), "{sentence}");
    }
    // Not of what a preset chose, nor of what is read.
    for sets in [
        &["snapshot.kind=ema"][..],
        &["network.base=none"],
        &["sampler.reuse=5", "snapshot.interval=10"],
    ] {
        let ignored = resolved("8gaussians", sets).expect("loads").ignored;
        assert_eq!(ignored, [""; 0], "{sets:?}");
    }
    for preset in presets() {
        assert_eq!(resolved(preset.name, &[]).expect("loads").ignored, [""; 0]);
    }
}

/// The row's meaning: every preset with every single change of a word, a flag or a few numbers.
#[test]
fn one_change_is_one_flag_or_the_error_names_the_others() {
    let mut changes: Vec<String> = Vec::new();
    let mut every = |key: &str, values: Vec<&str>| {
        changes.extend(values.iter().map(|value| format!("{key}={value}")));
    };
    every(
        "data.source",
        presets()
            .iter()
            .map(|preset| preset.name)
            .filter(|name| !name.contains('-') && *name != "mnist")
            .collect(),
    );
    every("data.layout", vec!["auto", "nchw", "nhwc"]);
    every("network.activation", <&ActivationKind>::names());
    every("network.base", BaseKind::names());
    every("network.initialisation", InitialWeights::names());
    every("network.spectral_norm", vec!["true", "false"]);
    every("network.zero_head", vec!["true", "false"]);
    every(
        "network.layers",
        vec!["[{residual=4}]", "[{residual=4},{dense=1}]", "[{dense=1}]"],
    );
    every("objective.generator", Criterion::names());
    every("objective.normaliser", NormaliserKind::names());
    every("objective.normalise_gradient", vec!["true", "false"]);
    every("objective.noise_ratio", vec!["1", "3", "100"]);
    every("snapshot.kind", SnapshotKind::names());
    every(
        "snapshot.interval",
        vec!["1", "2", "5", "7", "1000", "adaptive"],
    );
    every("snapshot.components", vec!["1", "3"]);
    every("sampler.kind", <&SamplerKind>::names());
    every("sampler.chains", ChainKind::names());
    every("sampler.bounds", BoundsKind::names());
    every("sampler.start", StartKind::names());
    every("sampler.adapt", vec!["true", "false"]);
    every("sampler.steps", vec!["1", "50"]);
    every("sampler.temperature", vec!["0.5", "2"]);
    every("sampler.anneal", vec!["0.5", "2"]);
    every("sampler.noise", vec!["0.1"]);
    every("sampler.clip", vec!["0.1"]);
    every("sampler.jumps", vec!["0", "3"]);
    every("sampler.reuse", vec!["1", "3", "7"]);
    every("sampler.buffer", vec!["0", "1000"]);
    every("optimiser.schedule", Schedule::names());
    every("optimiser.warmup", vec!["10", "1000000"]);
    every("run.precision", Precision::names());
    every("run.steps", vec!["1", "20"]);
    every("run.batch", vec!["1", "37", "100000"]);
    let (mut alone, mut derived_some, mut refused) = (0, 0, 0);
    for preset in presets() {
        for change in &changes {
            match resolved(preset.name, &[change]) {
                Ok(resolved) => {
                    alone += 1;
                    derived_some += usize::from(!resolved.derived.is_empty());
                }
                Err(ConfigError::Refused { violations }) => {
                    refused += 1;
                    let fixes = fixes(&violations);
                    let sets: Vec<&str> = std::iter::once(change.as_str())
                        .chain(fixes.iter().map(String::as_str))
                        .collect();
                    assert!(sets.len() > 1, "{} {change}: {violations:?}", preset.name);
                    if let Err(error) = resolved(preset.name, &sets) {
                        panic!("{} {sets:?}: {error}", preset.name);
                    }
                }
                Err(error) => panic!("{} {change}: {error}", preset.name),
            }
        }
    }
    // None of the three ways is empty, or this would say nothing.
    assert!(
        alone > 500 && derived_some > 100 && refused > 10,
        "{alone} {derived_some} {refused}"
    );
}

/// Two changes that contradict one another are still mended by the flags that are named.
#[test]
fn the_flags_of_a_refusal_mend_it() {
    let changes: Vec<String> = [
        ("objective.generator", Criterion::names()),
        ("objective.normaliser", NormaliserKind::names()),
        ("snapshot.kind", SnapshotKind::names()),
        ("snapshot.interval", vec!["1", "6", "adaptive"]),
        ("snapshot.max_interval", vec!["9"]),
        ("snapshot.components", vec!["3"]),
        ("sampler.kind", <&SamplerKind>::names()),
        ("sampler.chains", ChainKind::names()),
        ("sampler.bounds", BoundsKind::names()),
        ("sampler.start", StartKind::names()),
        ("sampler.noise", vec!["0.1"]),
        ("sampler.anneal", vec!["0.5", "2"]),
        ("sampler.adapt", vec!["true", "false"]),
        ("sampler.target_acceptance", vec!["0.7"]),
        ("sampler.jumps", vec!["3"]),
        ("sampler.reuse", vec!["4"]),
        ("sampler.steps", vec!["1"]),
        ("network.zero_head", vec!["true"]),
        ("network.spectral_norm", vec!["true"]),
        ("run.batch", vec!["37"]),
    ]
    .into_iter()
    .flat_map(|(key, values)| {
        values
            .into_iter()
            .map(move |value| format!("{key}={value}"))
    })
    .collect();
    let mut refused = 0;
    for (place, first) in changes.iter().enumerate() {
        for second in &changes[place + 1..] {
            for preset in ["digits-langevin", "8gaussians", "cifar10-residual"] {
                let Err(ConfigError::Refused { violations }) = resolved(preset, &[first, second])
                else {
                    continue;
                };
                refused += 1;
                let fixes = fixes(&violations);
                let sets: Vec<&str> = [first, second]
                    .into_iter()
                    .chain(&fixes)
                    .map(String::as_str)
                    .collect();
                if let Err(error) = resolved(preset, &sets) {
                    panic!("{preset} {sets:?}: {error} after {violations:?}");
                }
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

/// In a file with every key all are chosen: nothing gives way, and the flags have to say all that would.
#[test]
fn the_flags_of_a_refusal_mend_a_file_with_every_key() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let changes: Vec<String> = [
        ("network.activation", <&ActivationKind>::names()),
        ("network.base", BaseKind::names()),
        ("network.initialisation", InitialWeights::names()),
        ("network.spectral_norm", vec!["true", "false"]),
        ("network.zero_head", vec!["true", "false"]),
        ("objective.generator", Criterion::names()),
        ("objective.normaliser", NormaliserKind::names()),
        ("snapshot.kind", SnapshotKind::names()),
        ("snapshot.interval", vec!["adaptive", "7"]),
        ("sampler.kind", <&SamplerKind>::names()),
        ("sampler.chains", ChainKind::names()),
        ("sampler.bounds", BoundsKind::names()),
        ("sampler.start", StartKind::names()),
        ("sampler.adapt", vec!["true", "false"]),
        ("sampler.jumps", vec!["3"]),
        ("optimiser.schedule", Schedule::names()),
        ("run.precision", Precision::names()),
        ("run.steps", vec!["20"]),
        ("run.batch", vec!["5000"]),
    ]
    .into_iter()
    .flat_map(|(key, values)| {
        let values = values.into_iter();
        values.map(move |value| format!("{key}={value}"))
    })
    .collect();
    let mut refused = 0;
    for preset in presets() {
        let path = folder.path().join(format!("{}.toml", preset.name));
        let file = path.to_str().expect("is text");
        let (config, _) = derived(preset.name, &[]);
        std::fs::write(&path, afterimage::config::to_toml(&config)).expect("writes");
        assert_eq!(derived(file, &[]), (config, Vec::new()));
        for change in &changes {
            let violations = match resolved(file, &[change]) {
                Ok(_) => continue,
                Err(ConfigError::Refused { violations }) => violations,
                Err(error) => panic!("{file} {change}: {error}"),
            };
            refused += 1;
            let fixes = fixes(&violations);
            let flags = fixes.iter().map(String::as_str);
            let sets: Vec<&str> = std::iter::once(change.as_str()).chain(flags).collect();
            if let Err(error) = resolved(file, &sets) {
                panic!("{} {sets:?}: {error}", preset.name);
            }
        }
    }
    assert!(refused > 50, "{refused}");
}
