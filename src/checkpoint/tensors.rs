//! Reading safetensors files of floats, and writing those of 32-bit floats.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::floats::Floats;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Serialize;

use crate::files::{FileError, write_atomically};

/// Bytes before the header: its length, little-endian.
const PREFIX_LEN: usize = 8;

/// The longest header that the `safetensors` libraries accept, in bytes.
const MAX_HEADER_LEN: u64 = 100_000_000;

/// The header's key for text, hence no name for a tensor.
const METADATA_KEY: &str = "__metadata__";

const VALUE_LEN: usize = size_of::<f32>();

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    #[error("the checkpoint `{}` does not exist: check the path", .path.display())]
    NotFound { path: PathBuf },

    #[error("`{}` is not a file: name a .safetensors file", .path.display())]
    NotAFile { path: PathBuf },

    #[error("cannot read `{}` ({cause}): check its permissions and the disk", .path.display())]
    Unreadable { path: PathBuf, cause: io::Error },

    #[error("`{}` is not a safetensors file: name a checkpoint that a run wrote", .path.display())]
    NotSafetensors { path: PathBuf },

    /// Lengths in bytes.
    #[error(
        "the checkpoint `{}` is cut short ({found} of {expected} bytes): copy it again or use \
         another checkpoint", .path.display()
    )]
    Truncated {
        path: PathBuf,
        expected: u64,
        found: u64,
    },

    #[error(
        "the checkpoint `{}` is damaged ({cause}): copy it again or use another checkpoint",
        .path.display()
    )]
    Malformed { path: PathBuf, cause: String },

    /// `index` counts the tensor's values from 0, in row-major order.
    #[error("value {index} of tensor '{tensor}' in `{}` is not finite: {advice}", .path.display())]
    NonFinite {
        path: PathBuf,
        tensor: String,
        index: usize,
        advice: &'static str,
    },

    #[error(
        "cannot save tensor '{tensor}' to `{}`: its shape {shape:?} does not hold {found} values; \
         make the two agree", .path.display()
    )]
    WrongLength {
        path: PathBuf,
        tensor: String,
        shape: Vec<usize>,
        found: usize,
    },

    #[error(
        "cannot save tensor '{tensor}' to `{}`: the name is reserved or was used before; give \
         every tensor a name of its own", .path.display()
    )]
    BadName { path: PathBuf, tensor: String },

    #[error(
        "cannot save to `{}`: names and metadata take {len} bytes, more than the format's \
         {MAX_HEADER_LEN}; shorten them", .path.display()
    )]
    HeaderTooLong { path: PathBuf, len: usize },

    #[error(transparent)]
    File(#[from] FileError),
}

/// One tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Unique within its file.
    pub name: String,
    /// Extents, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// As many values as the product of `shape`, in row-major order, all finite.
    pub values: Vec<f32>,
}

/// The content of a safetensors file.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorFile {
    /// In the order of their values in the file.
    pub tensors: Vec<NamedTensor>,
    /// Text by key.
    pub metadata: BTreeMap<String, String>,
}

/// What a file holds besides 32-bit floats, which other programs save.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherTypes {
    /// The types of floats that were converted to 32 bits, and how many tensors have them.
    pub converted: BTreeMap<String, usize>,
    /// The tensors that hold no floats, and their types: they were left out.
    pub left_out: BTreeMap<String, String>,
}

/// A value of the header.
#[derive(Serialize)]
#[serde(untagged)]
enum HeaderEntry<'a> {
    Metadata(&'a BTreeMap<String, String>),
    Tensor(TensorInfo),
}

impl TensorFile {
    /// Writes the file, whole or not at all. Equal contents give equal bytes.
    ///
    /// # Errors
    /// When two tensors share a name or one has a reserved name, when a tensor's values do not fill
    /// its shape or are not finite, or when the file cannot be written. A file that was at `path`
    /// is then as it was.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        self.check(path)?;
        // By hand, because the crate takes metadata as a HashMap and writes it in that map's order,
        // which differs from one call to the next.
        let mut header = BTreeMap::new();
        if !self.metadata.is_empty() {
            header.insert(METADATA_KEY, HeaderEntry::Metadata(&self.metadata));
        }
        let mut end = 0;
        for tensor in &self.tensors {
            let start = end;
            end += tensor.values.len() * VALUE_LEN;
            let info = TensorInfo {
                dtype: Dtype::F32,
                shape: tensor.shape.clone(),
                data_offsets: (start, end),
            };
            header.insert(&tensor.name, HeaderEntry::Tensor(info));
        }
        let mut header = serde_json::to_vec(&header).map_err(|e| malformed(path, &e))?;
        // The values then start at a multiple of 8 bytes, as the format wants it.
        header.resize(header.len().next_multiple_of(PREFIX_LEN), b' ');
        if header.len() as u64 > MAX_HEADER_LEN {
            return Err(CheckpointError::HeaderTooLong {
                path: path.into(),
                len: header.len(),
            });
        }

        let mut bytes = Vec::with_capacity(PREFIX_LEN + header.len() + end);
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        for value in self.tensors.iter().flat_map(|tensor| &tensor.values) {
            bytes.extend(value.to_le_bytes());
        }
        Ok(write_atomically(path, &bytes)?)
    }

    /// Reads the floats of a file, see [`TensorFile::read`].
    ///
    /// # Errors
    /// Those of [`TensorFile::read`].
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        Self::read(path).map(|(file, _)| file)
    }

    /// Reads a file, with floats of 16 and 64 bits as 32-bit ones and without what holds no floats, and says which those were.
    ///
    /// Memory grows with the file that is there, not with the sizes it claims.
    ///
    /// # Errors
    /// When the file is missing, not a safetensors file, cut short or damaged, or holds a value that is not finite as a
    /// 32-bit float.
    pub fn read(path: &Path) -> Result<(Self, OtherTypes), CheckpointError> {
        let (file, file_len) = open(path)?;
        Self::read_from(path, file, file_len)
    }

    /// [`TensorFile::read`] from wherever its `file_len` bytes come; errors call it `path`.
    ///
    /// # Errors
    /// Those of [`TensorFile::read`].
    pub fn read_from(
        path: &Path,
        mut file: impl Read,
        file_len: u64,
    ) -> Result<(Self, OtherTypes), CheckpointError> {
        let unreadable = |cause: io::Error| unreadable(path, cause);
        let header = read_header(&mut file, file_len, path)?;
        let data_len = file_len - (PREFIX_LEN + header.len()) as u64;

        // `SafeTensors::deserialize` would add up claimed sizes without a check for overflow.
        let header: Metadata = serde_json::from_slice(&header).map_err(|e| malformed(path, &e))?;
        let claimed = header.data_len() as u64;
        if claimed > data_len {
            return Err(CheckpointError::Truncated {
                path: path.into(),
                expected: claimed.saturating_add(file_len - data_len),
                found: file_len,
            });
        }
        if claimed < data_len {
            return Err(malformed(path, &"bytes follow the last tensor"));
        }
        let mut data = Vec::new();
        file.take(data_len)
            .read_to_end(&mut data)
            .map_err(unreadable)?;

        let mut tensors = Vec::new();
        let mut others = OtherTypes::default();
        for (name, info) in in_file_order(&header) {
            let (start, end) = info.data_offsets;
            // Fails only if the file has shrunk since it was opened.
            let bytes = data
                .get(start..end)
                .ok_or_else(|| malformed(path, &"it changed while it was read"))?;
            let Some(floats) = Floats::of(info.dtype) else {
                others
                    .left_out
                    .insert(one_line(&name), info.dtype.to_string());
                continue;
            };
            if floats != Floats::F32 {
                *others.converted.entry(info.dtype.to_string()).or_default() += 1;
            }
            let values = floats.decode(bytes);
            let tensor = NamedTensor {
                name,
                shape: info.shape.clone(),
                values,
            };
            tensor.check_finite(path, "use an earlier checkpoint of the run")?;
            tensors.push(tensor);
        }
        let metadata = header.metadata().clone().unwrap_or_default();
        let metadata = metadata.into_iter().collect();
        Ok((TensorFile { tensors, metadata }, others))
    }

    /// Refuses what the format cannot hold and what no reader could use.
    fn check(&self, path: &Path) -> Result<(), CheckpointError> {
        let mut names = HashSet::from([METADATA_KEY]);
        for tensor in &self.tensors {
            if !names.insert(&tensor.name) {
                return Err(CheckpointError::BadName {
                    path: path.into(),
                    tensor: one_line(&tensor.name),
                });
            }
            let len = tensor
                .shape
                .iter()
                .try_fold(1_usize, |len, extent| len.checked_mul(*extent));
            if len != Some(tensor.values.len()) {
                return Err(CheckpointError::WrongLength {
                    path: path.into(),
                    tensor: one_line(&tensor.name),
                    shape: tensor.shape.clone(),
                    found: tensor.values.len(),
                });
            }
            tensor.check_finite(
                path,
                "nothing was saved; go back to an earlier checkpoint and lower optimiser.rate",
            )?;
        }
        Ok(())
    }
}

impl NamedTensor {
    fn check_finite(&self, path: &Path, advice: &'static str) -> Result<(), CheckpointError> {
        match self.values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(index) => Err(CheckpointError::NonFinite {
                path: path.into(),
                tensor: one_line(&self.name),
                index,
                advice,
            }),
        }
    }
}

/// The text beside the tensors of a file, whatever becomes of these.
///
/// # Errors
/// When the file is missing, not a safetensors file, or its header is damaged.
pub(crate) fn read_metadata(path: &Path) -> Result<BTreeMap<String, String>, CheckpointError> {
    let (mut file, file_len) = open(path)?;
    let header = read_header(&mut file, file_len, path)?;
    let header: Metadata = serde_json::from_slice(&header).map_err(|e| malformed(path, &e))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok(metadata.into_iter().collect())
}

/// Opens a file, and says how many bytes it has.
fn open(path: &Path) -> Result<(File, u64), CheckpointError> {
    // Before opening, because opening a pipe that nobody writes to waits for ever.
    let about = fs::metadata(path).map_err(|cause| unreadable(path, cause))?;
    if !about.is_file() {
        return Err(CheckpointError::NotAFile { path: path.into() });
    }
    let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
    Ok((file, about.len()))
}

/// Reads the header's bytes from the start of a file of `file_len` bytes.
fn read_header(
    file: &mut impl Read,
    file_len: u64,
    path: &Path,
) -> Result<Vec<u8>, CheckpointError> {
    let mut start = Vec::new();
    file.take(PREFIX_LEN as u64 + 1)
        .read_to_end(&mut start)
        .map_err(|e| unreadable(path, e))?;
    // The format has no magic number, but every header is a JSON object.
    let &[a, b, c, d, e, f, g, h, b'{'] = start.as_slice() else {
        return Err(CheckpointError::NotSafetensors { path: path.into() });
    };
    let header_len = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    if header_len > MAX_HEADER_LEN {
        return Err(CheckpointError::NotSafetensors { path: path.into() });
    }
    let expected = PREFIX_LEN as u64 + header_len;
    if expected > file_len {
        return Err(CheckpointError::Truncated {
            path: path.into(),
            expected,
            found: file_len,
        });
    }
    let mut header = vec![b'{'];
    file.take(header_len.saturating_sub(1))
        .read_to_end(&mut header)
        .map_err(|e| unreadable(path, e))?;
    if header.len() as u64 != header_len {
        return Err(malformed(path, &"its header is incomplete"));
    }
    Ok(header)
}

/// The tensors by position. Those without values share one, so their names decide.
fn in_file_order(header: &Metadata) -> Vec<(String, &TensorInfo)> {
    let mut tensors: Vec<_> = header.tensors().into_iter().collect();
    tensors.sort_by(|(a_name, a), (b_name, b)| {
        (a.data_offsets, a_name).cmp(&(b.data_offsets, b_name))
    });
    tensors
}

fn unreadable(path: &Path, cause: io::Error) -> CheckpointError {
    let path = path.to_path_buf();
    match cause.kind() {
        ErrorKind::NotFound => CheckpointError::NotFound { path },
        _ => CheckpointError::Unreadable { path, cause },
    }
}

fn malformed(path: &Path, cause: &impl ToString) -> CheckpointError {
    CheckpointError::Malformed {
        path: path.into(),
        cause: one_line(&cause.to_string()),
    }
}

/// Text from a file, fit for a message: a damaged file may hold anything.
fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST)
        .collect()
}
