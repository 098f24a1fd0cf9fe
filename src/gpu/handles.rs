use std::sync::atomic::{AtomicU64, Ordering};

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub(super) fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// A point in time: handles named after it can be told from those named before.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl Mark {
    pub(super) fn now() -> Self {
        Mark(next_id())
    }

    pub(super) fn id(self) -> u64 {
        self.0
    }

    /// Whether the handle `id` is older than the mark.
    pub(super) fn is_after(self, id: u64) -> bool {
        id < self.0
    }
}

/// What memory is for, in the terms of whoever names it: accounts are kept by it. Empty where nobody said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Purpose(pub &'static str);

/// A storage buffer of 32-bit words. Only a name for it: the executor makes the buffer, filled with zeros, at first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buffer {
    pub(super) id: u64,
    pub(super) words: usize,
    pub(super) label: &'static str,
    purpose: Purpose,
    /// Whether launches take their numbers of workgroups from it.
    pub(super) holds_workgroups: bool,
    lasting: bool,
}

impl Buffer {
    /// Names a new buffer of `words` 32-bit words (at least one, since an empty buffer cannot be bound).
    pub fn new(label: &'static str, words: usize) -> Self {
        Buffer {
            id: next_id(),
            words: words.max(1),
            label,
            purpose: Purpose::default(),
            holds_workgroups: false,
            lasting: false,
        }
    }

    /// The same buffer, from which launches can take their numbers of workgroups.
    pub(super) fn for_workgroups(self) -> Self {
        Buffer {
            holds_workgroups: true,
            ..self
        }
    }

    /// The same buffer, said to be for `purpose`.
    pub fn of(self, purpose: Purpose) -> Self {
        Buffer { purpose, ..self }
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The same buffer, said to hold what later work depends on: all else may hold anything when new work begins. Whoever
    /// brings back the lasting buffers of earlier work can go on with it.
    pub fn lasting(self) -> Self {
        Buffer {
            lasting: true,
            ..self
        }
    }

    /// Whether later work depends on what it holds.
    pub fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// Its length in 32-bit words.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.words as u64 * 4
    }

    /// What it is called in listings and errors.
    pub fn label(&self) -> &'static str {
        self.label
    }
}

/// How an image keeps the four numbers of a texel. Shaders compute with f32 either way: loads widen, stores round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// `rgba32float`, 16 bytes a texel.
    #[default]
    F32,
    /// `rgba16float`, 8 bytes a texel.
    F16,
}

impl ImageFormat {
    /// What WGSL calls it.
    pub fn name(self) -> &'static str {
        match self {
            ImageFormat::F32 => "rgba32float",
            ImageFormat::F16 => "rgba16float",
        }
    }

    /// Bytes of a texel.
    pub(crate) fn texel_bytes(self) -> u64 {
        match self {
            ImageFormat::F32 => 16,
            ImageFormat::F16 => 8,
        }
    }
}

/// A two-dimensional image of four numbers a texel, made, filled with zeros, at first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    pub(super) id: u64,
    pub(super) format: ImageFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) label: &'static str,
    purpose: Purpose,
}

impl Image {
    /// Names a new image of `width` × `height` texels of f32.
    pub fn new(label: &'static str, width: u32, height: u32) -> Self {
        Self::with_format(label, width, height, ImageFormat::F32)
    }

    /// Names a new image of `width` × `height` texels.
    pub(crate) fn with_format(
        label: &'static str,
        width: u32,
        height: u32,
        format: ImageFormat,
    ) -> Self {
        Image {
            id: next_id(),
            format,
            width: width.max(1),
            height: height.max(1),
            label,
            purpose: Purpose::default(),
        }
    }

    /// The same image, said to be for `purpose`.
    pub fn of(self, purpose: Purpose) -> Self {
        Image { purpose, ..self }
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// How it keeps its texels.
    pub fn format(&self) -> ImageFormat {
        self.format
    }

    /// Texels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * self.format.texel_bytes()
    }

    /// What it is called in listings and errors.
    pub fn label(&self) -> &'static str {
        self.label
    }
}
