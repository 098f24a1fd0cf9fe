//! The order of the source tree, read off its own text: no import circle between files, no room that imports from one
//! above it, and a device layer that names nothing of what is computed on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of src/, lowest first: each may import from those before it.
const ROOMS: &[&str] = &[
    "shape",
    "words",
    "random",
    "files",
    "cache",
    "gpu",
    "purpose",
    "kernels",
    "twins",
    "network",
    "method",
    "data",
    "checkpoint",
    "config",
    "report",
    "model",
    "evaluation",
    "train",
    "page",
    "sweep",
    "bench",
    "cli",
];

/// Names of shader files that are words of everyday English, too.
const EVERYDAY: &[&str] = &[
    "accept", "adapt", "copy", "finite", "follow", "head", "index", "jump", "moment", "plane",
    "only_if", "pool", "power", "reduce", "spread", "tile", "trace",
];

/// What the device layer has no words for, beside the names of shaders and of what is configured.
const NETWORK_WORDS: &[&str] = &[
    "network",
    "layer",
    "convolution",
    "dense",
    "residual",
    "energy",
    "energies",
    "gradient",
    "weights",
    "snapshot",
    "chain",
    "chains",
    "sampler",
    "optimiser",
    "checkpoint",
    "training",
];

/// The files that may be `unsafe`; why each block is sound stands above it (clippy::undocumented_unsafe_blocks).
const UNSAFE: &[&str] = &[
    // Signals, waiting for children and what they took: system calls that the standard library has not.
    "cli/signals.rs",
    "cli/sweep/child.rs",
    // The environment, before there is a second thread.
    "cli/mod.rs",
    "main.rs",
    // Shaders without run-time checks, and pipelines that the driver has compiled before.
    "gpu/disk_cache.rs",
    "gpu/pipelines.rs",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` that end in `ending`, with their paths relative to it.
fn files(folder: &Path, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("is a folder") {
            let path = entry.expect("is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let name = path.strip_prefix(folder).expect("lies below");
                let name = name.to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).expect("is text")));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

/// The words and signs of Rust code, without comments, literals and lifetimes; `::` is one sign.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |place: usize| chars.get(place).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '"' => {
                i += 1;
                while i < chars.len() && at(i) != '"' {
                    i += if at(i) == '\\' { 2 } else { 1 };
                }
                i += 1;
            }
            'r' if at(i + 1) == '"' || (at(i + 1) == '#' && matches!(at(i + 2), '"' | '#')) => {
                i += 1;
                let mut end = vec!['"'];
                while at(i) == '#' {
                    end.push('#');
                    i += 1;
                }
                i += 1;
                while i < chars.len() && !chars[i..].starts_with(&end) {
                    i += 1;
                }
                i += end.len();
            }
            // A character, unless it is a lifetime.
            '\'' if at(i + 1) == '\\' => {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            '\'' if at(i + 2) == '\'' => i += 3,
            '\'' => {
                i += 1;
                while is_word(at(i)) {
                    i += 1;
                }
            }
            ':' if at(i + 1) == ':' => {
                i += 2;
                tokens.push("::".to_owned());
            }
            c if is_word(c) => {
                while is_word(at(i)) {
                    i += 1;
                }
                tokens.push(chars[start..i].iter().collect());
            }
            c => {
                i += 1;
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
            }
        }
    }
    tokens
}

/// The place after the item that begins at `start`: after its `;`, or after the braces that it opens.
fn item_end(tokens: &[String], start: usize) -> usize {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(start) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && token == "}" {
                    return place + 1;
                }
            }
            ";" if depth == 0 => return place + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The tokens without what is compiled for tests only, and the names of modules that are.
fn without_tests(tokens: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut test_modules) = (Vec::new(), Vec::new());
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut place = 0;
    while place < tokens.len() {
        let rest = &tokens[place..];
        if rest.len() > mark.len() && rest.iter().zip(mark).all(|(token, wanted)| token == wanted) {
            let end = item_end(&tokens, place + mark.len());
            let item = &tokens[place + mark.len()..end];
            if let Some(name) = item.iter().position(|token| token == "mod") {
                test_modules.push(item[name + 1].clone());
            }
            place = end;
        } else {
            kept.push(tokens[place].clone());
            place += 1;
        }
    }
    (kept, test_modules)
}

/// A name that a `use` brings into a module.
#[derive(Debug)]
struct Binding {
    name: String,
    path: Vec<String>,
}

#[derive(Debug, Default)]
struct Module {
    children: BTreeSet<String>,
    bindings: Vec<Binding>,
    /// Paths in the code itself, such as `super::a::B`, of at least two words.
    paths: Vec<Vec<String>>,
}

/// Adds what a tree such as `a::{b, c::D as E}` brings in, from `place` on, and returns the place after it.
fn read_use(
    tokens: &[String],
    mut place: usize,
    before: &[String],
    bindings: &mut Vec<Binding>,
) -> usize {
    let mut path = before.to_vec();
    loop {
        match tokens[place].as_str() {
            "{" => {
                place += 1;
                while tokens[place] != "}" {
                    place = read_use(tokens, place, &path, bindings);
                    place += usize::from(tokens[place] == ",");
                }
                return place + 1;
            }
            "::" => {
                place += 1;
                continue;
            }
            "self" if !before.is_empty() => place += 1,
            word => {
                path.push(word.to_owned());
                place += 1;
            }
        }
        if tokens[place] == "as" {
            let name = tokens[place + 1].clone();
            bindings.push(Binding { name, path });
            return place + 2;
        }
        if tokens[place] != "::" {
            let name = path.last().expect("names something").clone();
            bindings.push(Binding { name, path });
            return place;
        }
    }
}

fn read_module(tokens: &[String]) -> Module {
    let mut module = Module::default();
    let mut place = 0;
    while place < tokens.len() {
        let before = |back: usize| place.checked_sub(back).map_or("", |at| &tokens[at]);
        match tokens[place].as_str() {
            "use" if tokens[place + 1] != "<" => {
                place = read_use(tokens, place + 1, &[], &mut module.bindings);
                continue;
            }
            "mod" if tokens[place + 2] == ";" => {
                module.children.insert(tokens[place + 1].clone());
            }
            word => {
                let is_start = before(1) != "::" && before(1) != ".";
                // The module in `pub(in crate::a)` is no import.
                let is_scope = before(1) == "in" && before(2) == "(";
                let mut path = vec![word.to_owned()];
                let mut end = place + 1;
                while tokens.get(end).is_some_and(|sign| sign == "::")
                    && tokens[end + 1].starts_with(|c: char| c.is_alphabetic() || c == '_')
                {
                    path.push(tokens[end + 1].clone());
                    end += 2;
                }
                if is_start && !is_scope && path.len() > 1 {
                    module.paths.push(path);
                }
            }
        }
        place += 1;
    }
    module
}

/// src/ as modules by path, without the tests.
struct Tree {
    modules: BTreeMap<Vec<String>, Module>,
}

impl Tree {
    fn read() -> Self {
        let mut modules = BTreeMap::new();
        let mut tests = Vec::new();
        for (file, text) in files(&root().join("src"), "rs") {
            if file == "main.rs" {
                continue;
            }
            let name = file.trim_end_matches(".rs").trim_end_matches("/mod");
            let path: Vec<String> = match name {
                "lib" => Vec::new(),
                name => name.split('/').map(str::to_owned).collect(),
            };
            let (tokens, test_modules) = without_tests(tokens(&text));
            tests.extend(
                test_modules
                    .into_iter()
                    .map(|name| [&path[..], &[name]].concat()),
            );
            modules.insert(path, read_module(&tokens));
        }
        modules.retain(|path, _| !tests.contains(path));
        Tree { modules }
    }

    /// The module that defines what `path` names when it is written in the module `from`; none if it lies elsewhere.
    fn definition(&self, from: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        // `use a;` of another crate names itself.
        if depth > 8 {
            return None;
        }
        let mut rest = path;
        let mut here = from.to_vec();
        match path[0].as_str() {
            "crate" => {
                here.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|word| word == "super") {
                    here.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                let module = &self.modules[from];
                let is_known = module.children.contains(first)
                    || module.bindings.iter().any(|binding| binding.name == first);
                if !is_known {
                    return None;
                }
            }
        }
        while let Some((word, after)) = rest.split_first() {
            let module = self.modules.get(&here)?;
            if module.children.contains(word) {
                here.push(word.clone());
            } else if let Some(binding) = module.bindings.iter().find(|b| b.name == *word) {
                let whole = [&binding.path[..], after].concat();
                return self.definition(&here, &whole, depth + 1);
            } else {
                return Some(here);
            }
            rest = after;
        }
        // A module as a whole is not used before one of its items is.
        None
    }

    /// The modules that each module imports from. Its own children are none: it is made of them.
    fn imports(&self) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
        let mut imports = BTreeMap::new();
        for (path, module) in &self.modules {
            let bound = module.bindings.iter().map(|binding| &binding.path);
            let used = bound.chain(&module.paths);
            let mut targets: BTreeSet<_> = used
                .filter_map(|used| self.definition(path, used, 0))
                .collect();
            targets.retain(|target| !target.starts_with(path));
            imports.insert(path.clone(), targets);
        }
        imports
    }
}

#[test]
fn no_files_import_each_other() {
    let tree = Tree::read();
    let imports = tree.imports();
    // Files that are reached from each file, in any number of imports.
    let reached: BTreeMap<_, BTreeSet<_>> = imports
        .keys()
        .map(|start| {
            let mut reached = BTreeSet::new();
            let mut next: Vec<_> = imports[start].iter().collect();
            while let Some(path) = next.pop() {
                if reached.insert(path.clone()) {
                    next.extend(&imports[path]);
                }
            }
            (start, reached)
        })
        .collect();
    let mut circles = BTreeSet::new();
    for (start, reach) in &reached {
        if reach.contains(*start) {
            let circle: BTreeSet<String> = reach
                .iter()
                .filter(|path| reached[path].contains(*start))
                .map(|path| path.join("::"))
                .collect();
            circles.insert(circle);
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn every_room_imports_only_from_those_below() {
    let place = |room: &str| {
        let place = ROOMS.iter().position(|known| *known == room);
        place.unwrap_or_else(|| panic!("a new room '{room}': give it a place among ROOMS"))
    };
    let tree = Tree::read();
    let mut wrong = Vec::new();
    for (path, targets) in tree.imports() {
        let Some(room) = path.first() else {
            continue;
        };
        let module = &tree.modules[&path];
        let written = module.bindings.iter().map(|binding| &binding.path);
        let written = written
            .chain(&module.paths)
            .filter(|path| path[0] == "crate");
        let written = written.filter_map(|path| path.get(1));
        for other in written.chain(targets.iter().filter_map(|target| target.first())) {
            if place(other) > place(room) {
                wrong.push(format!("{} imports {other}", path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The keys of the configuration as `section.key`.
fn keys() -> Vec<String> {
    let config = afterimage::config::load("digits-langevin", &[]).expect("is a preset");
    let text = afterimage::config::to_toml(&config);
    let mut section = "";
    let mut keys = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            keys.push(format!("{section}.{key}"));
        } else if let Some(key) = line
            .strip_prefix("# ")
            .and_then(|line| line.strip_suffix(" is absent"))
        {
            keys.push(format!("{section}.{key}"));
        }
    }
    assert!(keys.contains(&"run.slice".to_owned()), "{keys:?}");
    keys
}

#[test]
fn the_device_layer_names_nothing_that_is_computed_on_it() {
    let keys = keys();
    let shaders = files(&root().join("shaders"), "wgsl");
    let mut words: BTreeSet<&str> = NETWORK_WORDS.iter().copied().collect();
    for (file, _) in &shaders {
        let stem = file.trim_end_matches(".wgsl").rsplit('/').next();
        words.extend(stem.filter(|stem| !EVERYDAY.contains(stem)));
    }
    let mut wrong = Vec::new();
    for (file, text) in files(&root().join("src/gpu"), "rs") {
        for (line, text) in (1..).zip(text.lines()) {
            let lower = text.to_lowercase();
            let spoken = lower.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let is_named =
                |word: &str| words.contains(word) || words.contains(word.trim_end_matches('s'));
            let mut named: Vec<&str> = spoken.filter(|word| is_named(word)).collect();
            // `LayerKind` and `layer_count` name layers, too; what wgpu calls its own is not ours.
            let parts = parts_of_names(&text.replace("depth_or_array_layers", ""));
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            named.extend(
                parts
                    .iter()
                    .filter(|part| NETWORK_WORDS.contains(&part.trim_end_matches('s'))),
            );
            named.extend(
                keys.iter()
                    .map(String::as_str)
                    .filter(|key| text.contains(*key)),
            );
            named.extend(
                shaders
                    .iter()
                    .map(|(file, _)| file.as_str())
                    // The one shader that is the executor's own.
                    .filter(|file| text.contains(file) && *file != "only_if.wgsl"),
            );
            let is_flag = |(place, _): (usize, &str)| {
                text[place + 2..].starts_with(|c: char| c.is_ascii_lowercase())
            };
            if text.match_indices("--").any(is_flag) {
                named.push("a flag");
            }
            if !named.is_empty() {
                wrong.push(format!(
                    "src/gpu/{file}:{line} names {}: {}",
                    named.join(", "),
                    text.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The words that names in `text` are made of, in lower case: `layer` and `kind` of `LayerKind` and `layer_kind`.
fn parts_of_names(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            parts.push(String::new());
        }
        if c.is_alphanumeric() {
            parts.last_mut().expect("has one").extend(c.to_lowercase());
        }
        before = c;
    }
    parts
}

/// The enums that `words!` declares: what configurations choose from.
fn word_types(tokens: &[String]) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for (place, window) in tokens.windows(3).enumerate() {
        if window == ["words", "!", "{"] {
            let item = &tokens[place..item_end(tokens, place)];
            let name = item.iter().position(|token| token == "enum");
            types.extend(name.map(|name| item[name + 1].clone()));
        }
    }
    types
}

/// The patterns of every `match`, with their guards. Those that a macro writes are left out: its `$` are no patterns.
fn matches(tokens: &[String]) -> Vec<Vec<&[String]>> {
    // The place of the first of `wanted` outside brackets, from `place` on.
    let find = |mut place: usize, wanted: &[&str]| {
        let mut depth = 0;
        while depth > 0 || !wanted.contains(&tokens[place].as_str()) {
            match tokens[place].as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            place += 1;
        }
        place
    };
    let patterns_of = |start: usize| {
        let body = find(start, &["{"]);
        let end = item_end(tokens, body);
        if tokens[start..end].iter().any(|token| token == "$") {
            return None;
        }
        let mut patterns = Vec::new();
        let mut place = body + 1;
        while place < end - 1 {
            let mut arrow = find(place, &["="]);
            while tokens[arrow + 1] != ">" {
                // A comparison in a guard, or the end of a range.
                arrow = find(arrow + 1, &["="]);
            }
            patterns.push(&tokens[place..arrow]);
            place = match tokens[arrow + 2].as_str() {
                "{" => item_end(tokens, arrow + 2),
                _ => find(arrow + 2, &[",", "}"]),
            };
            place += usize::from(tokens[place] == ",");
        }
        Some(patterns)
    };
    let starts = (0..tokens.len()).filter(|&place| tokens[place] == "match");
    starts.filter_map(patterns_of).collect()
}

/// Whether a pattern takes whatever is left: `_`, a name, or a tuple of such.
fn takes_anything(pattern: &[String]) -> bool {
    let guard = pattern.iter().position(|token| token == "if");
    let pattern = &pattern[..guard.unwrap_or(pattern.len())];
    let is_open = |token: &String| {
        let first = token.chars().next();
        first.is_some_and(|c| c == '_' || c.is_lowercase() || "(),".contains(c))
    };
    pattern.iter().all(is_open)
}

/// A word that is added to a list and forgotten in a `match` does not compile.
#[test]
fn no_match_on_a_configuration_word_has_a_wildcard_arm() {
    let sources: Vec<_> = files(&root().join("src"), "rs")
        .into_iter()
        .map(|(file, text)| (file, tokens(&text)))
        .collect();
    let types: BTreeSet<_> = sources
        .iter()
        .filter(|(file, _)| file != "words.rs")
        .flat_map(|(_, tokens)| word_types(tokens))
        .collect();
    for known in ["SnapshotKind", "Precision", "Schedule"] {
        assert!(types.contains(known), "{types:?}");
    }
    // Not only words, but as much chosen by configurations.
    let others = ["Criterion", "Interval", "LayerSpec", "Normaliser", "Self"];
    let types: BTreeSet<_> = types.into_iter().chain(others.map(String::from)).collect();
    let names_word = |pattern: &[String]| {
        let pairs = pattern.windows(2);
        pairs
            .into_iter()
            .any(|pair| types.contains(&pair[0]) && pair[1] == "::")
    };
    let mut seen = 0;
    for (file, tokens) in &sources {
        for patterns in matches(tokens) {
            if patterns.iter().any(|pattern| names_word(pattern)) {
                seen += 1;
                let open = patterns.iter().find(|pattern| takes_anything(pattern));
                assert!(open.is_none(), "{file}: {patterns:?}");
            }
        }
    }
    assert!(seen > 10, "only {seen} matches on words were found");
}

#[test]
fn names_are_taken_apart() {
    let parts = parts_of_names("LayerKind of layer_count");
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    assert_eq!(parts, ["layer", "kind", "of", "layer", "count"]);
}

#[test]
fn wildcard_arms_are_found() {
    let text = "match kind { Kind::A if x == 1 => { match y { _ => 2 } } (Kind::B, _) => f(|a| a >= b), other => 3 }";
    let tokens = tokens(text);
    let found: Vec<Vec<bool>> = matches(&tokens)
        .iter()
        .map(|patterns| {
            patterns
                .iter()
                .map(|pattern| takes_anything(pattern))
                .collect()
        })
        .collect();
    assert_eq!(found, [vec![false, false, true], vec![true]]);
}

/// What programs may rely on, by module: a name more or less is a change of what the library offers.
const OFFERED: &[(&str, &str)] = &[
    (
        "config",
        "ActivationKind BaseKind BoundsKind ChainKind Config ConfigError Criterion DataConfig Derived InitialWeights Integrator \
         Interval JumpKind KernelFamily LayerSpec NetworkConfig NormaliserKind ObjectiveConfig OptimiserConfig Precision Preset Resolved \
         RunConfig SamplerConfig SamplerKind Schedule SnapshotConfig SnapshotKind StartKind Violation Word load \
         parse preset presets resolve resolve_text set to_toml with_data",
    ),
    (
        "data",
        "Channels Colour DataError DataOptions DataRecord Dataset Layout PartRecord PlanarDensity RawRange SampleFile \
         Scaling Source TrainedScaling open source_of",
    ),
    (
        "evaluation",
        "Accuracy AnnealedFigures Auroc BennettFigures BufferFigures COVERED ClassFigures ComparisonFigures CostFigures DataIs \
         DequantisedFigures DistanceFigures EstimatesFigures EvaluationError EvaluationOptions FeatureName FeatureNetwork Figures GridFigures \
         IntervalFigures Judged LikelihoodFigures LikelihoodOptions Measured MethodFigures ModeFigures ModelData \
         NearestFigures NetworkName Outcome OutsideFigures PairTest PermutationTest QualityData QualityError QualityFigures \
         QualityOutcome SampleFigures ScoreFigures ScoredFigures StabilityFigures StabilityOutcome Stage \
         SteinFigures SteinPair TelescopedFigures TwoSampleFigures buffer_quality evaluate log_likelihood log_likelihood_of \
         out_of_distribution sample_quality samples_of stability",
    ),
    (
        "gpu",
        "AdapterChoice AdapterKind AdapterSummary Buffer Executor ExecutorOptions ExecutorStatistics Fault GpuError \
         Mark Recording Requirements list_adapters wgpu",
    ),
    (
        "model",
        "Architecture CheckpointError ChosenBy ChosenKernels Description Evaluator KeptChains KeptSnapshots Model ModelDevice ModelError NetworkError RunningChains SampleOptions Samples \
         TuningOptions TuningReport VariantError Weights allow_tuning chosen_kernels kept_snapshots test_kernels_async tuning_report",
    ),
    ("shape", "Shape"),
    (
        "train",
        "Arrival Beginning Best ChainCount Diagnostics Divergence Event FileError Interrupted Judged LastLook MemoryAccount MetricsRow Mixing OpenError \
         PairTest PlannedRun ReadyRun Recovery ReportError RunPlace Summary TrainError Trainer TrainingState Wishes in_memory interrupted_model \
         open_model resume run run_through",
    ),
];

/// The names that the file of a module opens to programs, beside its `low_level`.
fn offered(file: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("src").join(file)).expect("is text");
    let (tokens, _) = without_tests(tokens(&text));
    let (mut names, mut depth) = (Vec::new(), 0);
    for (place, token) in tokens.iter().enumerate() {
        let after = |more: usize| tokens.get(place + more).map_or("", String::as_str);
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "pub" => match after(1) {
                "use" if depth == 0 => {
                    let mut bindings = Vec::new();
                    read_use(&tokens, place + 2, &[], &mut bindings);
                    names.extend(bindings.into_iter().map(|binding| binding.name));
                }
                "fn" | "const" | "mod" if depth == 0 => names.push(after(2).to_owned()),
                // Wherever a macro declares them.
                "struct" | "enum" | "trait" | "type" => names.push(after(2).to_owned()),
                _ => {}
            },
            _ => {}
        }
    }
    names.sort();
    names
}

#[test]
fn the_stable_modules_offer_what_is_listed() {
    let mut modules: Vec<&str> = OFFERED.iter().map(|(module, _)| *module).collect();
    modules.extend(["cli", "low_level"]);
    modules.sort_unstable();
    assert_eq!(offered("lib.rs"), modules);
    for (module, names) in OFFERED {
        let file = if *module == "shape" {
            "shape.rs".to_owned()
        } else {
            format!("{module}/mod.rs")
        };
        assert_eq!(offered(&file).join(" "), *names, "{module}");
    }
}

#[test]
fn unsafe_code_stands_in_named_places() {
    let found: BTreeSet<String> = files(&root().join("src"), "rs")
        .into_iter()
        .filter(|(_, text)| tokens(text).iter().any(|token| token == "unsafe"))
        .map(|(name, _)| name)
        .collect();
    let named: BTreeSet<String> = UNSAFE.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, named);
}
