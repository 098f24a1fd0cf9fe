//! Small disks, and folders that are read-only, for a test that may mount them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set in the process of a test that has mounts of its own.
const INSIDE: &str = "AFTERIMAGE_TEST_OWN_MOUNTS";

/// What is mounted at a path, unmounted in the end.
pub struct Mounted(PathBuf);

impl Mounted {
    /// A small file system in a folder made for it; none where this user may mount nothing.
    pub fn small(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let size = format!("size={size}");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], &path).then(|| Mounted(path))
    }

    /// The folder itself once more, to be read alone, over that which can be written to; likewise. What is open stays open.
    pub fn read_only(path: &Path) -> Option<Self> {
        let mounted = mount(&["--bind", path.to_str().unwrap()], path);
        let once_more = mounted.then(|| Mounted(path.into()))?;
        mount(&["-o", "remount,bind,ro"], path).then_some(once_more)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(arguments).arg(path).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}

/// Does `test`, the whole of a test, where it may mount: here, as root, or else in a process of its own that is root among mounts of
/// its own. Says so where neither is allowed.
pub fn with_mounts<T: FnOnce()>(test: T) {
    let folder = tempfile::tempdir().unwrap();
    let probe = Mounted::small(folder.path().join("probe"), "1m");
    if probe.is_some_and(|probe| Mounted::read_only(probe.path()).is_some()) {
        return test();
    }
    let unshared = |program: &OsStr| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount"]);
        command.arg(program);
        command
    };
    let mut probe = unshared("true".as_ref());
    let mut can_unshare = || probe.stderr(Stdio::null()).status();
    if std::env::var_os(INSIDE).is_some() || !can_unshare().is_ok_and(|status| status.success()) {
        println!("nothing was tested: this user may mount nothing");
        return;
    }
    // The closure's own name lies in its test's, below the crate's.
    let name = std::any::type_name::<T>().trim_end_matches("::{{closure}}");
    let name = name.split_once("::").expect("a crate").1;
    let mut again = unshared(std::env::current_exe().unwrap().as_os_str());
    again
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1");
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"));
}
