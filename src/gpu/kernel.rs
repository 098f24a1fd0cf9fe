use super::handles::ImageFormat;
use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The most turns that all loops of an invocation may make together, inner ones counted, too. lavapipe of Mesa 22.3, as
/// Debian 12 ships it, counts them down from here; then every loop that is entered makes one turn and ends, in silence.
pub const MOST_TURNS: usize = 65_535;

/// The most steps of a loop that a kernel writes out as one turn: compiling takes as long as the text.
const MOST_STEPS: usize = 16;

/// How many steps of a loop to write out as one turn: the fewest with which the kernel, which makes `turns` of them, stays
/// within [`MOST_TURNS`]; else as many as there may be, and an executor refuses the program.
pub(crate) fn steps_a_turn(turns: impl Fn(usize) -> usize) -> usize {
    (1..MOST_STEPS)
        .find(|&steps| turns(steps) <= MOST_TURNS)
        .unwrap_or(MOST_STEPS)
}

/// How a kernel uses one of its bindings; binding numbers follow the order of declaration, all in group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    ReadWrite,
    /// `texture_storage_2d<rgba32float, read>`
    ImageRead,
    /// `texture_storage_2d<rgba32float, write>`
    ImageWrite,
    /// `texture_storage_2d<$NAME, read>` in the format that the program gives under this name.
    FormatRead(&'static str),
    /// `texture_storage_2d<$NAME, write>` likewise.
    FormatWrite(&'static str),
}

/// A compute shader as the Rust side sees it: one WGSL file with the entry point `main`.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The name of the WGSL file, without its ending.
    pub name: &'static str,
    /// The text of the file, before the preprocessor.
    pub source: &'static str,
    /// What the file may import, by name.
    pub shared: &'static [(&'static str, &'static str)],
    /// Bindings 0, 1, … of group 0.
    pub bindings: &'static [Access],
    /// 32-bit words of `var<immediate>`.
    pub immediates: u32,
}

/// The value of a named constant of a shader.
#[derive(Clone, Copy, Debug)]
pub enum Constant {
    U32(u32),
    F32(f32),
    Bool(bool),
    Format(ImageFormat),
    /// WGSL that `#import NAME` puts in its place.
    Text(&'static str),
}

impl Constant {
    fn bits(self) -> (u8, u32, &'static str) {
        match self {
            Constant::U32(v) => (0, v, ""),
            Constant::F32(v) => (1, v.to_bits(), ""),
            Constant::Bool(v) => (2, u32::from(v), ""),
            Constant::Format(v) => (3, u32::from(v == ImageFormat::F16), ""),
            Constant::Text(v) => (4, 0, v),
        }
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Constant {}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constant::U32(v) => write!(f, "{v}u"),
            // Debug formatting keeps the decimal point and round-trips the value.
            Constant::F32(v) => write!(f, "{v:?}f"),
            Constant::Bool(v) => write!(f, "{v}"),
            Constant::Format(v) => write!(f, "{}", v.name()),
            Constant::Text(v) => f.write_str(v),
        }
    }
}

/// A kernel together with the values of its named constants: what one pipeline is compiled from.
#[derive(Clone, Debug)]
pub struct Program {
    pub kernel: &'static Kernel,
    pub constants: Vec<(Cow<'static, str>, Constant)>,
    /// Turns that an invocation's loops make at most, where they grow with what is computed: see [`MOST_TURNS`].
    pub turns: usize,
}

impl Program {
    /// `kernel` with no constants set.
    pub fn new(kernel: &'static Kernel) -> Self {
        Program {
            kernel,
            constants: Vec::new(),
            turns: 0,
        }
    }

    /// Says how many turns its loops make at most.
    pub fn turns(mut self, turns: usize) -> Self {
        self.turns = turns;
        self
    }

    /// Sets how many steps of its loop a turn makes, and whether these are several.
    pub fn steps(self, steps: usize) -> Self {
        self.u32("STEPS", steps).flag("SEVERAL", steps > 1)
    }

    /// Sets an unsigned constant.
    pub fn u32(mut self, name: impl Into<Cow<'static, str>>, value: usize) -> Self {
        // Every caller passes a shape, and shapes that do not fit 32 bits fail the buffer limits long before.
        self.constants
            .push((name.into(), Constant::U32(value as u32)));
        self
    }

    /// Sets a floating-point constant.
    pub fn f32(mut self, name: impl Into<Cow<'static, str>>, value: f32) -> Self {
        self.constants.push((name.into(), Constant::F32(value)));
        self
    }

    /// Sets a switch.
    pub fn flag(mut self, name: impl Into<Cow<'static, str>>, value: bool) -> Self {
        self.constants.push((name.into(), Constant::Bool(value)));
        self
    }

    /// Sets the format of images.
    pub fn format(mut self, name: &'static str, value: ImageFormat) -> Self {
        self.constants.push((name.into(), Constant::Format(value)));
        self
    }

    /// Sets the WGSL that `#import name` stands for.
    pub fn text(mut self, name: &'static str, value: &'static str) -> Self {
        self.constants.push((name.into(), Constant::Text(value)));
        self
    }

    /// The format of the images behind a binding of this kind, if there are any; f32 where the name was not given,
    /// which the preprocessor refuses.
    pub fn image_format(&self, access: Access) -> Option<ImageFormat> {
        match access {
            Access::Read | Access::ReadWrite => None,
            Access::ImageRead | Access::ImageWrite => Some(ImageFormat::F32),
            Access::FormatRead(name) | Access::FormatWrite(name) => {
                let given = self.constants.iter().find(|(known, _)| *known == name);
                Some(match given {
                    Some((_, Constant::Format(format))) => *format,
                    _ => ImageFormat::F32,
                })
            }
        }
    }
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.kernel, other.kernel) && self.constants == other.constants
    }
}

impl Eq for Program {}

impl Hash for Program {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kernel.name.hash(state);
        self.constants.hash(state);
    }
}
