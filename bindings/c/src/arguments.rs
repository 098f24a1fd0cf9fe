//! What C gives: pointers, lengths and texts, each checked as far as can be.

use crate::failure::Failure;
use afterimage::data::DataError;
use afterimage::model::ModelError;
use afterimage::shape::Shape;
use std::ffi::{CStr, c_char};
use std::path::PathBuf;
use std::slice;

/// The value behind a pointer.
///
/// # Safety
/// `pointer` is null or points to a value that lives, and is not changed, for as long as the result.
pub(crate) unsafe fn value<'a, T>(pointer: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: promised by the caller.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// Where a result is to be written.
///
/// # Safety
/// `pointer` is null or points to memory for a `T`, that nobody else uses for as long as the result.
pub(crate) unsafe fn place<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T, Failure> {
    // SAFETY: promised by the caller.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
}

/// The values of samples of `shape`: finite, and of whole samples.
///
/// # Safety
/// `pointer` is null or points to `count` floats that are not changed for as long as the result.
pub(crate) unsafe fn samples<'a>(
    pointer: *const f32,
    count: usize,
    shape: Shape,
    name: &str,
) -> Result<&'a [f32], Failure> {
    check_floats(pointer, count, name)?;
    // Both in the words of the command line, which reads its samples from files.
    if !count.is_multiple_of(shape.len()) {
        let given = count;
        return Err(ModelError::WrongLength { given, shape }.into());
    }
    if count == 0 {
        return Ok(&[]);
    }
    // SAFETY: it is neither null, nor misaligned, nor longer than memory; the rest is promised by the caller.
    let values = unsafe { slice::from_raw_parts(pointer, count) };
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(place) => Err(Failure::argument(DataError::NonFinite {
            path: name.into(),
            sample: place / shape.len(),
        })),
    }
}

/// Where `wanted` floats are to be written, which is as much as there has to be room for.
pub(crate) struct Room(*mut f32);

impl Room {
    /// What is at `pointer`, with room for `given` floats, is to take `wanted`.
    pub(crate) fn new(
        pointer: *mut f32,
        given: usize,
        wanted: usize,
        name: &str,
    ) -> Result<Self, Failure> {
        if given != wanted {
            let message = format!(
                "{name} has room for {given} values, and {wanted} are to be written: give it as much as that"
            );
            return Err(Failure::argument(message));
        }
        check_floats(pointer, given, name)?;
        Ok(Room(pointer))
    }

    /// Writes what was asked for.
    ///
    /// # Safety
    /// There is room for as many floats as [`Self::new`] was told, and for as many as `values`.
    pub(crate) unsafe fn fill(self, values: &[f32]) {
        if !values.is_empty() {
            // SAFETY: the pointer is neither null nor misaligned then, and `values` are our own, apart from it.
            unsafe {
                self.0
                    .copy_from_nonoverlapping(values.as_ptr(), values.len())
            }
        }
    }
}

/// Refuses what cannot be `count` floats.
fn check_floats(pointer: *const f32, count: usize, name: &str) -> Result<(), Failure> {
    if count > isize::MAX as usize / size_of::<f32>() {
        let message = format!("{name} cannot hold {count} values: check its length");
        return Err(Failure::argument(message));
    }
    if count > 0 && pointer.is_null() {
        return Err(null(name));
    }
    if count > 0 && !pointer.is_aligned() {
        let message =
            format!("{name} does not lie where a float may: its address is no multiple of 4");
        return Err(Failure::argument(message));
    }
    Ok(())
}

/// A text.
///
/// # Safety
/// `pointer` is null or points to bytes that end with 0 and are not changed for as long as the result.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: promised by the caller.
    let bytes = unsafe { bytes(pointer, name) }?;
    let text = bytes.to_str();
    text.map_err(|_| Failure::argument(format!("{name} is not UTF-8: write it so")))
}

/// The path to a file or folder.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn path(pointer: *const c_char, name: &str) -> Result<PathBuf, Failure> {
    #[cfg(unix)]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: promised by the caller.
        let bytes = unsafe { bytes(pointer, name) }?;
        Ok(OsStr::from_bytes(bytes.to_bytes()).into())
    }
    #[cfg(not(unix))]
    {
        // SAFETY: promised by the caller.
        unsafe { text(pointer, name) }.map(Into::into)
    }
}

/// `count` texts.
///
/// # Safety
/// `pointer` is null or points to `count` pointers, each as for [`text`].
pub(crate) unsafe fn texts(
    pointer: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<String>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if pointer.is_null() {
        return Err(null(name));
    }
    (0..count)
        .map(|index| {
            // SAFETY: promised by the caller.
            let text = unsafe { text(*pointer.add(index), &format!("{name}[{index}]")) };
            text.map(Into::into)
        })
        .collect()
}

/// # Safety
/// As for [`text`].
unsafe fn bytes<'a>(pointer: *const c_char, name: &str) -> Result<&'a CStr, Failure> {
    match pointer.is_null() {
        true => Err(null(name)),
        // SAFETY: promised by the caller.
        false => Ok(unsafe { CStr::from_ptr(pointer) }),
    }
}

fn null(name: &str) -> Failure {
    Failure::argument(format!("{name} is a null pointer: give one that is not"))
}
