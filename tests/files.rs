//! Files, run folders and safetensors files: what is written, and what a failure leaves behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Barrier;

use afterimage::low_level::checkpoint::{NamedTensor, TensorFile};
use afterimage::low_level::files::{
    JsonLines, create_numbered_folder, create_run_folder, remove_unused_run_folder,
    write_atomically,
};
use afterimage::model::CheckpointError;
use afterimage::train::FileError;
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// Every message is one line that names the file and holds `parts`.
#[track_caller]
fn assert_message(error: &impl ToString, path: &Path, parts: &[&str]) {
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.contains(&path.display().to_string()), "{message}");
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

mod whole_files {
    use super::*;

    #[test]
    fn new_content_replaces_the_old_and_nothing_else_appears() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write_atomically(&path, b"a long first version").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names_in(folder.path()), set(&["a.bin"]));
    }

    #[test]
    fn a_missing_folder_is_named_and_not_made() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("absent/a.bin");
        let error = write_atomically(&path, b"x").unwrap_err();
        assert_message(&error, &path, &["create the folder"]);
        assert!(names_in(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.bin");
        fs::create_dir(&path).unwrap();
        let error = write_atomically(&path, b"x").unwrap_err();
        assert_message(&error, &path, &["a folder stands where a file is needed"]);
        assert_eq!(names_in(folder.path()), set(&["a.bin"]));
    }

    #[test]
    fn a_path_without_a_file_name_is_refused() {
        for path in ["", "/", ".."] {
            let error = write_atomically(Path::new(path), b"x").unwrap_err();
            assert!(matches!(error, FileError::NoFileName { .. }), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_no_folder() {
        let folder = tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"old").unwrap();
        let path = file.join("a.bin");
        let error = write_atomically(&path, b"x").unwrap_err();
        assert_message(&error, &path, &["a file stands where a folder is needed"]);
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }

    /// Not even root may make files in /sys.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        for (name, advice) in [("/sys/afterimage.bin", "choose a path"), ("/sys/run", "")] {
            let path = Path::new(name);
            let result = match advice {
                "" => create_run_folder(path, true),
                _ => write_atomically(path, b"x"),
            };
            assert_message(&result.unwrap_err(), path, &[advice]);
            assert!(!path.exists());
        }
    }

    /// A real failure half-way through a write, for root too: this test runs itself again in a
    /// shell that limits the size of files, and that second run overwrites a file.
    #[cfg(unix)]
    #[test]
    fn a_write_that_fails_half_way_leaves_the_old_file() {
        const VARIABLE: &str = "AFTERIMAGE_TEST_LIMITED_FILE";
        const TEST: &str = "whole_files::a_write_that_fails_half_way_leaves_the_old_file";
        if let Some(path) = std::env::var_os(VARIABLE) {
            let path = Path::new(&path);
            let error = write_atomically(path, &[1; 100_000]).unwrap_err();
            assert_message(&error, path, &["file-size limit"]);
            let values = vec![0.0; 100_000];
            let tensors = vec![NamedTensor {
                name: "w".into(),
                shape: vec![values.len()],
                values,
            }];
            let metadata = BTreeMap::new();
            let error = TensorFile { tensors, metadata }.save(path).unwrap_err();
            assert!(matches!(error, CheckpointError::File(_)), "{error}");
            assert_message(&error, path, &["file-size limit"]);

            let lines_path = path.with_extension("jsonl");
            let mut lines = JsonLines::create(&lines_path).unwrap();
            lines.append(&1).unwrap();
            lines.append(&"x".repeat(100_000)).unwrap_err();
            lines.append(&2).unwrap();
            assert_eq!(fs::read_to_string(lines_path).unwrap(), "1\n2\n");
            return;
        }
        let folder = tempdir().unwrap();
        let path = folder.path().join("old.bin");
        fs::write(&path, b"old").unwrap();
        let output = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", TEST])
            .env(VARIABLE, &path)
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{stdout}");
        assert!(stdout.contains("1 passed"), "{stdout}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), set(&["old.bin", "old.jsonl"]));
    }
}

mod json_lines {
    use super::*;

    #[test]
    fn each_value_is_one_line_that_can_be_read_at_once() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, "an older run").unwrap();
        let mut lines = JsonLines::create(&path).unwrap();
        lines.append(&BTreeMap::from([("step", 1)])).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1}\n");
        lines.append(&"two\nlines").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"step\":1}\n\"two\\nlines\"\n");
    }

    #[test]
    fn what_json_cannot_hold_leaves_no_trace() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut lines = JsonLines::create(&path).unwrap();
        lines.append(&1).unwrap();
        let error = lines.append(&BTreeMap::from([((1, 2), 3)])).unwrap_err();
        assert_message(&error, &path, &["JSON"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("absent/metrics.jsonl");
        let error = JsonLines::create(&path).unwrap_err();
        assert_message(&error, &path, &["create the folder"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let path = Path::new("/dev/full");
        let mut lines = JsonLines::create(path).unwrap();
        let error = lines.append(&1).unwrap_err();
        assert_message(&error, path, &["free some disk space"]);
    }
}

mod run_folders {
    use super::*;

    const EMPTY_RUN: [&str; 2] = ["checkpoints", "samples"];

    #[test]
    fn missing_and_empty_folders_are_filled() {
        let folder = tempdir().unwrap();
        create_run_folder(folder.path(), false).unwrap();
        assert_eq!(names_in(folder.path()), set(&EMPTY_RUN));
        let deep = folder.path().join("a/b");
        create_run_folder(&deep, false).unwrap();
        assert_eq!(names_in(&deep), set(&EMPTY_RUN));
        for name in EMPTY_RUN {
            assert!(names_in(&deep.join(name)).is_empty());
        }
    }

    /// What each of eight threads gets that begin at the same time.
    fn together<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
        let barrier = Barrier::new(8);
        let work = || {
            barrier.wait();
            work()
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    }

    #[test]
    fn a_name_is_given_once() {
        for _ in 0..20 {
            let folder = tempdir().unwrap();
            let path = folder.path().join("runs/set.v1");
            let taken = together(|| create_numbered_folder(&path).unwrap());
            let wanted = (2..=8).map(|number| folder.path().join(format!("runs/set.v1-{number}")));
            let wanted: BTreeSet<_> = wanted.chain([path.clone()]).collect();
            assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), wanted);
            assert!(wanted.iter().all(|path| path.is_dir()));
        }
        let folder = tempdir().unwrap();
        let file = folder.path().join("runs");
        fs::write(&file, "mine").unwrap();
        let error = create_numbered_folder(&file.join("run")).unwrap_err();
        assert_message(&error, &file, &["a file stands"]);
    }

    #[test]
    fn of_runs_that_begin_together_in_a_folder_one_gets_it() {
        for exists in [false, true].repeat(10) {
            let folder = tempdir().unwrap();
            let path = folder.path().join("run");
            if exists {
                fs::create_dir(&path).unwrap();
            }
            let got = together(|| create_run_folder(&path, false));
            let refused: Vec<_> = got.into_iter().filter_map(Result::err).collect();
            assert_eq!(refused.len(), 7);
            for error in refused {
                assert!(
                    matches!(error, FileError::RunFolderNotEmpty { .. }),
                    "{error}"
                );
            }
            assert_eq!(names_in(&path), set(&EMPTY_RUN));
        }
    }

    #[test]
    fn a_folder_that_no_run_fills_is_removed_again() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("run");
        create_run_folder(&path, false).unwrap();
        fs::write(path.join("checkpoints/mine.safetensors"), "mine").unwrap();
        remove_unused_run_folder(&path);
        assert_eq!(names_in(&path), set(&["checkpoints"]));
        fs::remove_file(path.join("checkpoints/mine.safetensors")).unwrap();
        remove_unused_run_folder(&path);
        assert!(!path.exists());
        create_run_folder(&path, false).unwrap();
        fs::write(path.join("metrics.jsonl"), "").unwrap();
        remove_unused_run_folder(&path);
        assert_eq!(
            names_in(&path),
            set(&[&EMPTY_RUN[..], &["metrics.jsonl"]].concat())
        );
    }

    #[test]
    fn a_folder_with_anything_in_it_is_left_alone() {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        let error = create_run_folder(folder.path(), false).unwrap_err();
        assert!(matches!(error, FileError::RunFolderNotEmpty { .. }));
        assert_message(&error, folder.path(), &["--out", "--force"]);
        assert_eq!(names_in(folder.path()), set(&["notes.txt"]));
    }

    #[test]
    fn force_removes_what_a_run_writes_and_nothing_else() {
        let folder = tempdir().unwrap();
        let run = folder.path();
        create_run_folder(run, false).unwrap();
        for name in [
            "best.safetensors",
            "best.live.safetensors",
            "config.toml",
            "metrics.jsonl",
            "curves.png",
            "energies.jsonl",
            "energies.png",
            "evaluation.json",
            "evaluation.png",
            "landscape.png",
            "neighbours.png",
            "recoveries.jsonl",
            "metrics.given-up-1.jsonl",
            "metrics.given-up-mine.jsonl",
            "report.html",
            "samples.png",
            "stability.png",
            "summary.json",
            "traces.npy",
            "training.gif",
            "samples/000001.png",
            "samples/000001.chains.png",
            "checkpoints/000001.safetensors",
            "checkpoints/000001.live.safetensors",
            "checkpoints/000001.chains.safetensors",
            "checkpoints/best.safetensors",
            "notes.txt",
            "config.toml.bak",
            "evaluation-mine.json",
            "stability-mine.png",
            "neighbours-yours.png",
        ] {
            fs::write(run.join(name), name).unwrap();
        }
        let ours = "{\"weights_crc32\": \"00000000\"}";
        fs::write(run.join("evaluation-v1.2.json"), ours).unwrap();
        fs::write(run.join("neighbours-v1.2.png"), "ours").unwrap();
        fs::create_dir(run.join("figures")).unwrap();
        fs::write(run.join("figures/curves.png"), "mine").unwrap();
        create_run_folder(run, true).unwrap();
        let kept = [
            // Whose they are is for their reader to say.
            "best.live.safetensors",
            "best.safetensors",
            "checkpoints",
            "config.toml.bak",
            // Called as ours, but another program's.
            "evaluation-mine.json",
            "figures",
            "metrics.given-up-mine.jsonl",
            "neighbours-yours.png",
            "notes.txt",
            "samples",
            "stability-mine.png",
        ];
        assert_eq!(names_in(run), set(&kept));
        assert_eq!(names_in(&run.join("figures")), set(&["curves.png"]));
        assert!(names_in(&run.join("samples")).is_empty());
        assert_eq!(
            names_in(&run.join("checkpoints")),
            set(&["best.safetensors"])
        );
    }

    #[test]
    fn force_does_not_clear_a_folder_that_no_run_made() {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), "mine").unwrap();
        let error = create_run_folder(folder.path(), true).unwrap_err();
        assert!(matches!(error, FileError::NotRunFolder { .. }));
        assert_message(&error, folder.path(), &["--out"]);
        assert_eq!(names_in(folder.path()), set(&["config.toml"]));
    }

    #[test]
    fn a_file_is_never_a_run_folder() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("run");
        fs::write(&path, "mine").unwrap();
        for force in [false, true] {
            let error = create_run_folder(&path, force).unwrap_err();
            assert!(matches!(error, FileError::RunFolderIsFile { .. }));
            assert_message(&error, &path, &["--out"]);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn force_removes_a_link_and_not_what_it_points_to() {
        let folder = tempdir().unwrap();
        let (run, mine) = (folder.path().join("run"), folder.path().join("mine"));
        fs::create_dir(&run).unwrap();
        fs::create_dir(&mine).unwrap();
        fs::write(mine.join("picture.png"), "mine").unwrap();
        std::os::unix::fs::symlink(&mine, run.join("samples")).unwrap();
        fs::write(run.join("metrics.jsonl"), "").unwrap();
        create_run_folder(&run, true).unwrap();
        assert_eq!(names_in(&mine), set(&["picture.png"]));
        assert!(run.join("samples").is_dir());
        assert!(!run.join("samples").is_symlink());
    }

    /// A folder called like a run's file was not written by a run.
    #[test]
    fn force_does_not_remove_a_folder_in_the_place_of_a_file() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::create_dir(&path).unwrap();
        fs::write(folder.path().join("metrics.jsonl"), "").unwrap();
        let error = create_run_folder(folder.path(), true).unwrap_err();
        assert_message(&error, &path, &["cannot remove"]);
        assert!(path.is_dir());
    }
}

mod tensor_files {
    use super::*;

    fn tensor(name: &str, shape: &[usize], values: &[f32]) -> NamedTensor {
        NamedTensor {
            name: name.into(),
            shape: shape.into(),
            values: values.into(),
        }
    }

    fn example() -> TensorFile {
        TensorFile {
            tensors: vec![
                tensor(
                    "layers.2.weight",
                    &[2, 3],
                    &[1.0, -2.5, 3e-42, 4.0, -0.0, f32::MAX],
                ),
                tensor("layers.0.bias", &[2], &[0.1, 0.2]),
                tensor("c", &[], &[0.5]),
            ],
            metadata: (0..20)
                .map(|i| (format!("key {i}"), format!("line\n\"{i}\" é")))
                .collect(),
        }
    }

    /// A folder, and a path in it to save to.
    fn place() -> (TempDir, std::path::PathBuf) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        (folder, path)
    }

    /// The error for a file of `bytes`; checks its message.
    #[track_caller]
    fn error_for(bytes: &[u8], parts: &[&str]) -> CheckpointError {
        let (_folder, path) = place();
        fs::write(&path, bytes).unwrap();
        let error = TensorFile::load(&path).unwrap_err();
        assert_message(&error, &path, parts);
        error
    }

    fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
        let len = (header.len() as u64).to_le_bytes();
        [&len, header.as_bytes(), data].concat()
    }

    fn saved(file: &TensorFile) -> Vec<u8> {
        let (_folder, path) = place();
        file.save(&path).unwrap();
        fs::read(&path).unwrap()
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let empty = TensorFile {
            tensors: vec![],
            metadata: BTreeMap::new(),
        };
        let nothing_in_it = TensorFile {
            tensors: vec![tensor("a", &[0, 3], &[]), tensor("b", &[1], &[1.0])],
            metadata: BTreeMap::new(),
        };
        for file in [example(), empty, nothing_in_it] {
            let (folder, path) = place();
            file.save(&path).unwrap();
            assert_eq!(TensorFile::load(&path).unwrap(), file);
            assert_eq!(names_in(folder.path()), set(&["model.safetensors"]));
        }
    }

    #[test]
    fn the_bits_of_values_are_kept() {
        let (_folder, path) = place();
        example().save(&path).unwrap();
        let loaded = TensorFile::load(&path).unwrap();
        assert_eq!(loaded.tensors[0].values[4].to_bits(), (-0.0_f32).to_bits());
    }

    #[test]
    fn equal_contents_give_equal_bytes() {
        let first = saved(&example());
        for _ in 0..5 {
            assert_eq!(saved(&example()), first);
        }
    }

    #[test]
    fn the_safetensors_crate_reads_it_and_its_values_are_aligned() {
        let bytes = saved(&example());
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let bias = file.tensor("layers.0.bias").unwrap();
        assert_eq!(bias.shape(), [2]);
        let values = [0.1_f32.to_le_bytes(), 0.2_f32.to_le_bytes()].concat();
        assert_eq!(bias.data(), values);
        let (header_len, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header_len % 8, 0);
        let text = header.metadata().clone().unwrap();
        assert_eq!(
            text.into_iter().collect::<BTreeMap<_, _>>(),
            example().metadata
        );
    }

    #[test]
    fn what_cannot_be_saved_is_refused_and_the_old_file_stays() {
        let cases = [
            (
                tensor("w", &[2, 2], &[0.0; 3]),
                "shape [2, 2] does not hold 3 values",
            ),
            (
                tensor("w", &[usize::MAX, 2], &[0.0]),
                "does not hold 1 values",
            ),
            (tensor("w", &[], &[]), "does not hold 0 values"),
            (tensor("w", &[2], &[0.0, f32::NAN]), "value 1 of tensor 'w'"),
            (tensor("w", &[1], &[f32::INFINITY]), "nothing was saved"),
            (tensor("__metadata__", &[1], &[0.0]), "reserved"),
            (tensor("layers.0.bias", &[1], &[0.0]), "used before"),
        ];
        for (bad, part) in cases {
            let (folder, path) = place();
            example().save(&path).unwrap();
            let mut file = example();
            file.tensors.push(bad);
            assert_message(&file.save(&path).unwrap_err(), &path, &[part]);
            assert_eq!(TensorFile::load(&path).unwrap(), example());
            assert_eq!(names_in(folder.path()), set(&["model.safetensors"]));
        }
    }

    #[test]
    fn a_missing_folder_is_named_when_saving() {
        let (folder, _) = place();
        let path = folder.path().join("absent/model.safetensors");
        let error = example().save(&path).unwrap_err();
        assert_message(&error, &path, &["create the folder"]);
    }

    #[test]
    fn missing_files_and_folders_are_told_apart() {
        let (folder, path) = place();
        let error = TensorFile::load(&path).unwrap_err();
        assert!(matches!(error, CheckpointError::NotFound { .. }));
        assert_message(&error, &path, &["check the path"]);
        let error = TensorFile::load(folder.path()).unwrap_err();
        assert!(matches!(error, CheckpointError::NotAFile { .. }));
        assert_message(&error, folder.path(), &["name a .safetensors file"]);
    }

    #[test]
    fn other_formats_are_told() {
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 100]].concat();
        let absurd_header = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
        let cases: [&[u8]; 5] = [
            b"",
            b"short",
            &png,
            b"plain text {not a header}",
            &absurd_header,
        ];
        for bytes in cases {
            let error = error_for(bytes, &["is not a safetensors file"]);
            assert!(matches!(error, CheckpointError::NotSafetensors { .. }));
        }
    }

    /// Every proper prefix is refused, and from the header's first byte on as cut short.
    #[test]
    fn a_file_cut_anywhere_is_told() {
        let bytes = saved(&example());
        for len in 0..bytes.len() {
            let part = if len < 9 {
                "is not a safetensors file"
            } else {
                "is cut short"
            };
            error_for(&bytes[..len], &[part]);
        }
    }

    #[test]
    fn a_header_longer_than_the_file_is_told() {
        let bytes = [99_999_999_u64.to_le_bytes().as_slice(), b"{}"].concat();
        error_for(&bytes, &["is cut short (10 of 100000007 bytes)"]);
    }

    #[test]
    fn bytes_after_the_last_tensor_are_told() {
        let mut bytes = saved(&example());
        bytes.push(0);
        error_for(&bytes, &["bytes follow the last tensor"]);
    }

    #[test]
    fn damaged_headers_are_told() {
        let info = |shape: &str, offsets: &str| {
            format!(r#"{{"w":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        let headers = [
            "{".to_owned(),
            "{]".to_owned(),
            "{}{}".to_owned(),
            r#"{"w":3}"#.to_owned(),
            r#"{"__metadata__":{"step":3}}"#.to_owned(),
            "{\"w\":{\"dtype\":\"F\\n32\",\"shape\":[1],\"data_offsets\":[0,4]}}".to_owned(),
            "{".repeat(10_000),
            info("[1]", "[0,8]"),
            info("[1]", "[4,8]"),
            info("[1]", "[4,0]"),
            info("[-1]", "[0,4]"),
            info("[4294967296,4294967296]", "[0,4]"),
        ];
        for header in headers {
            let error = error_for(&with_header(&header, &[0; 4]), &["is damaged"]);
            assert!(matches!(error, CheckpointError::Malformed { .. }));
        }
        let no_header = [[0; 8].as_slice(), b"{}"].concat();
        error_for(&no_header, &["is damaged"]);
    }

    /// Sizes that fit one by one, but whose sum with the header's leaves 64 bits.
    #[test]
    fn absurd_tensors_are_told() {
        let mut entries = Vec::new();
        let mut end = 0_u64;
        for (name, values) in (0..8).map(|i| (i, (1_u64 << 59) - 1)).chain([(8, 6)]) {
            let start = end;
            end += 4 * values;
            entries.push(format!(
                r#""{name}":{{"dtype":"F32","shape":[{values}],"data_offsets":[{start},{end}]}}"#
            ));
        }
        assert_eq!(end, u64::MAX - 7);
        let bytes = with_header(&format!("{{{}}}", entries.join(",")), &[0; 4]);
        error_for(&bytes, &["is cut short"]);
    }

    /// As PyTorch saves models that were converted, with a counter beside the weights.
    #[test]
    fn other_floats_are_converted_and_what_is_none_is_left_out() {
        // 1.5 and −0.375, exact in all of them.
        let floats: [(&str, Vec<u8>); 3] = [
            ("BF16", [0x3fc0u16, 0xbec0].map(u16::to_le_bytes).concat()),
            ("F16", [0x3e00u16, 0xb600].map(u16::to_le_bytes).concat()),
            ("F64", [1.5f64, -0.375].map(f64::to_le_bytes).concat()),
        ];
        for (name, values) in floats {
            let end = values.len();
            let header = format!(
                r#"{{"w":{{"dtype":"{name}","shape":[2],"data_offsets":[0,{end}]}},
                "steps":{{"dtype":"I64","shape":[],"data_offsets":[{end},{}]}}}}"#,
                end + 8
            );
            let (_folder, path) = place();
            let values = [values, 7i64.to_le_bytes().to_vec()].concat();
            fs::write(&path, with_header(&header, &values)).unwrap();
            let (file, others) = TensorFile::read(&path).unwrap();
            assert_eq!(file.tensors, [tensor("w", &[2], &[1.5, -0.375])]);
            assert_eq!(others.converted, [(name.to_owned(), 1)].into());
            assert_eq!(others.left_out, [("steps".into(), "I64".into())].into());
        }
        let too_large = with_header(
            r#"{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#,
            &1e300f64.to_le_bytes(),
        );
        error_for(&too_large, &["value 0 of tensor 'w'", "not finite"]);
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut bytes = saved(&example());
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&bad.to_le_bytes());
            error_for(&bytes, &["value 0 of tensor 'c'", "earlier checkpoint"]);
        }
    }

    /// Loads `bytes`; whatever is wrong with them must be an error of one line.
    fn load_anything(bytes: &[u8]) {
        let (_folder, path) = place();
        fs::write(&path, bytes).unwrap();
        if let Err(error) = TensorFile::load(&path) {
            assert_message(&error, &path, &[]);
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            load_anything(&bytes);
        }

        #[test]
        fn random_headers_never_panic(header in "\\{.{0,200}", data in any::<[u8; 8]>()) {
            load_anything(&with_header(&header, &data));
        }

        #[test]
        fn a_changed_byte_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = saved(&example());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            load_anything(&bytes);
        }

        #[test]
        fn any_finite_content_survives(
            tensors in prop::collection::btree_map(
                ".{0,12}",
                (0_usize..4, 0_usize..4).prop_flat_map(|(rows, columns)| {
                    let values = prop::num::f32::NORMAL | prop::num::f32::ZERO;
                    (Just(vec![rows, columns]), prop::collection::vec(values, rows * columns))
                }),
                0..5,
            ),
            metadata in prop::collection::btree_map(".{0,12}", ".{0,40}", 0..5),
        ) {
            let tensors = tensors
                .into_iter()
                .map(|(name, (shape, values))| NamedTensor { name, shape, values })
                .collect();
            let file = TensorFile { tensors, metadata };
            let (_folder, path) = place();
            file.save(&path).unwrap();
            let loaded = TensorFile::load(&path).unwrap();
            // Tensors without values have no place of their own in the file.
            let sorted = |file: &TensorFile| {
                let mut tensors = file.tensors.clone();
                tensors.sort_by(|a, b| a.name.cmp(&b.name));
                tensors
            };
            prop_assert_eq!(sorted(&loaded), sorted(&file));
            prop_assert_eq!(loaded.metadata, file.metadata);
        }
    }
}

#[test]
#[cfg(unix)]
fn a_symbolic_link_stays_and_its_target_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("real")).unwrap();
    fs::write(path("real/file"), "old").unwrap();
    // Relative, by way of another link.
    std::os::unix::fs::symlink("real/file", path("inner")).unwrap();
    std::os::unix::fs::symlink(path("inner"), path("link")).unwrap();
    write_atomically(&path("link"), b"new").unwrap();
    assert!(path("link").is_symlink() && path("inner").is_symlink());
    assert_eq!(fs::read(path("real/file")).unwrap(), b"new");
    assert_eq!(names_in(&path("real")), set(&["file"]));

    std::os::unix::fs::symlink("real/later", path("dangling")).unwrap();
    write_atomically(&path("dangling"), b"made").unwrap();
    assert_eq!(fs::read(path("real/later")).unwrap(), b"made");

    std::os::unix::fs::symlink("loop", path("loop")).unwrap();
    let error = write_atomically(&path("loop"), b"lost").unwrap_err();
    assert_message(&error, &path("loop"), &["links"]);
    assert!(path("loop").is_symlink());
    assert_eq!(
        names_in(folder.path()),
        set(&["real", "inner", "link", "dangling", "loop"])
    );
}

#[test]
#[cfg(unix)]
fn devices_and_sockets_are_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for target in [&path, &link] {
        let error = write_atomically(target, b"lost").unwrap_err();
        assert_message(&error, target, &["device, pipe or socket", "another path"]);
    }
    assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(names_in(folder.path()), set(&["link", "socket"]));
    if fs::metadata("/dev/null").is_ok_and(|about| about.file_type().is_char_device()) {
        let error = write_atomically(Path::new("/dev/null"), b"lost").unwrap_err();
        assert_message(&error, Path::new("/dev/null"), &["device"]);
        assert!(
            fs::metadata("/dev/null")
                .unwrap()
                .file_type()
                .is_char_device()
        );
    }
}
