//! What can be wrong with data, and what to do about it.

use crate::shape::Shape;
use std::io;
use std::path::PathBuf;

/// Why a data set could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    #[error(
        "unknown data source `{name}`: did you mean `{nearest}`? Known: {}", .known.join(", ")
    )]
    UnknownSource {
        name: String,
        nearest: &'static str,
        known: Vec<&'static str>,
    },

    #[error("data source `{name}` needs a path: set data.path to a file or folder")]
    MissingPath { name: &'static str },

    #[error(
        "data source `{name}` takes no path: clear data.path (`{path}`), or set data.source to {readers} to read it"
    )]
    UnexpectedPath {
        name: &'static str,
        path: String,
        /// The sources that take one.
        readers: String,
    },

    #[error("data.low = {low} and data.high = {high}: set both to finite numbers with low < high")]
    InvalidRange { low: f32, high: f32 },

    #[error("data.limit = {limit} is too many generated points to hold: set it to at most {most}")]
    LimitTooLarge { limit: usize, most: usize },

    #[error(
        "the density of data source `{name}` is not known, as those of the generated planar sets are ({}): evaluate models \
         of other data, images among them, with --only likelihood",
        .known.join(", ")
    )]
    NoDensity {
        name: &'static str,
        known: Vec<&'static str>,
    },

    #[error(
        "data.held_out = {share} of {count} samples are {kept}, and both parts need one: set it to a share that leaves some on either \
         side, or to 0 to keep nothing back"
    )]
    EmptyPart {
        share: f32,
        count: usize,
        /// How many would be kept from training.
        kept: usize,
    },

    #[error("data.held_out = {share} is no share: set it to a number from 0 that is below 1")]
    NoShare { share: f32 },

    #[error("the density of data with noise {noise} cannot be computed: {advice}")]
    DensityNoise { noise: f64, advice: &'static str },

    #[error("`{}` does not exist: check data.path", .path.display())]
    NotFound { path: PathBuf },

    #[error("`{}` is not {wanted}: check data.path", .path.display())]
    WrongKind { path: PathBuf, wanted: &'static str },

    #[error("cannot read `{}` ({cause}): check its permissions and the disk", .path.display())]
    Unreadable { path: PathBuf, cause: io::Error },

    #[error("cannot unpack `{}` ({cause}): fetch the gzip file again", .path.display())]
    Gzip { path: PathBuf, cause: io::Error },

    #[error("`{}` holds no {pattern}: check data.path", .folder.display())]
    NothingInFolder {
        folder: PathBuf,
        pattern: &'static str,
    },

    #[error(
        "`{}` is {what}, but data.source is {wanted}: use --set data.source={fitting} to read it", .path.display()
    )]
    OtherKind {
        path: PathBuf,
        what: String,
        wanted: &'static str,
        fitting: &'static str,
    },

    #[error(
        "`{}` can be read as {what}: say which with --set data.source={}", .path.display(), .sources.join(" or ")
    )]
    SeveralKinds {
        path: PathBuf,
        what: String,
        sources: Vec<&'static str>,
    },

    #[error(
        "cannot tell what data `{}` is ({what}): name a .npy or IDX file, a CIFAR-10 .bin file, a .csv table, or a \
         folder of pictures, or say what it is with --set data.source", .path.display()
    )]
    NoKind { path: PathBuf, what: String },

    #[error(
        "`{name}` does not exist as a file or folder, and no data source is called so: check its path, or name one of {}", .known.join(", ")
    )]
    NoData {
        name: String,
        known: Vec<&'static str>,
    },

    #[error(
        "the data's samples are {found}, the model takes {wanted}: score data of the model's shape"
    )]
    OtherShape { found: Shape, wanted: Shape },

    #[error("data source `{name}` is generated at its own scale: leave out data.range")]
    UnreadRange { name: &'static str },

    /// What values stand for is not known; `reason` ends with what to set.
    #[error("`{}`: {reason}", .path.display())]
    Scale { path: PathBuf, reason: String },

    /// A table that is none; `reason` ends with what to do.
    #[error("`{}`, line {line}: {reason}", .path.display())]
    Table {
        path: PathBuf,
        /// From 1.
        line: u64,
        reason: String,
    },

    #[error(
        "several files in `{}` fit ({}): set data.path to one of them", .folder.display(),
        .names.join(", ")
    )]
    Ambiguous { folder: PathBuf, names: Vec<String> },

    #[error(
        "`{}` starts with bytes {found:02x?}, not {expected:02x?}: it is not {wanted}; check \
         data.source and data.path", .path.display()
    )]
    WrongMagic {
        path: PathBuf,
        wanted: &'static str,
        expected: Vec<u8>,
        found: Vec<u8>,
    },

    #[error(
        "`{}` is cut short ({found} bytes of content, {expected} expected): fetch the file again",
        .path.display()
    )]
    Truncated {
        path: PathBuf,
        expected: u64,
        found: u64,
    },

    #[error(
        "`{}` goes on after its {expected} bytes of content: it is damaged or another format; \
         fetch the file again or check data.source", .path.display()
    )]
    TrailingBytes { path: PathBuf, expected: u64 },

    /// Anything else that a format forbids; `reason` ends with what to do.
    #[error("`{}`: {reason}", .path.display())]
    Malformed { path: PathBuf, reason: String },

    #[error("cannot decode `{}` ({cause}): replace or remove this picture", .path.display())]
    Picture { path: PathBuf, cause: String },

    #[error(
        "`{}` is a {format} picture, and only PNG and JPEG are read: save it as PNG, which keeps up to 16 bits a value",
        .path.display()
    )]
    PictureFormat { path: PathBuf, format: &'static str },

    #[error("no PNG or JPEG picture is in `{}` or the folders in it: check data.path", .folder.display())]
    NoPictures { folder: PathBuf },

    #[error(
        "`{}` is coloured, and the model has one channel: add `--set data.channels=1` to read brightness",
        .path.display()
    )]
    Coloured { path: PathBuf },

    #[error(
        "`{}` is {}×{} pixels, but `{}` is {}×{}: bring all pictures to one size", .path.display(),
        .size.0, .size.1, .first.display(), .first_size.0, .first_size.1
    )]
    WrongSize {
        path: PathBuf,
        /// Width and height in pixels.
        size: (u32, u32),
        first: PathBuf,
        /// Width and height in pixels.
        first_size: (u32, u32),
    },

    #[error(
        "sample {sample} (counted from 0) of `{}` holds a value that is no finite 32-bit float: \
         remove or repair it", .path.display()
    )]
    NonFinite { path: PathBuf, sample: usize },

    #[error("`{}` holds no samples: check data.path", .path.display())]
    Empty { path: PathBuf },
}
