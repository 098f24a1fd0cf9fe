use crate::gpu::{Buffer, GpuError, Image, ImageFormat, Kernel, Program, Resource};
use crate::kernels::border::Border;
use crate::purpose::MAPS;
use crate::shape::Shape;

/// A batch of feature maps in an image: four channels a texel, a border of zeros around each map, the channel groups
/// of a sample side by side, `per_row` samples to a row of samples (`shaders/shared/plane.wgsl`).
///
/// Images start as zeros and no kernel writes outside a map, so the border stays zero.
#[derive(Clone, Copy, Debug)]
pub struct Plane {
    pub image: Image,
    /// Holds the texels in place of the image, row by row, if it is there.
    pub buffer: Option<Buffer>,
    pub samples: usize,
    pub shape: Shape,
    pub border: Border,
    pub per_row: usize,
    /// Row of the image that the first row of samples begins in: an image may hold several planes, one below the other.
    pub first_row: usize,
}

/// The names under which a kernel knows a plane's layout.
pub(super) struct PlaneNames {
    pub(super) format: &'static str,
    pub(super) groups: &'static str,
    pub(super) width: &'static str,
    pub(super) height: &'static str,
    pub(super) per_row: &'static str,
    pub(super) x: &'static str,
    pub(super) y: &'static str,
}

/// Those names, which all begin alike.
macro_rules! plane_names {
    ($prefix:literal) => {
        $crate::kernels::texel::plane::PlaneNames {
            format: concat!($prefix, "FORMAT"),
            groups: concat!($prefix, "GROUPS"),
            width: concat!($prefix, "WIDTH"),
            height: concat!($prefix, "HEIGHT"),
            per_row: concat!($prefix, "PER_ROW"),
            x: concat!($prefix, "X"),
            y: concat!($prefix, "Y"),
        }
    };
}
pub(super) use plane_names;

pub(super) const IN: PlaneNames = plane_names!("IN_");
pub(super) const OUT: PlaneNames = plane_names!("OUT_");

impl Plane {
    /// Lays out `samples` maps of `shape` in an image of at most `longest_side` texels a side.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn new(
        label: &'static str,
        samples: usize,
        shape: Shape,
        border: Border,
        format: ImageFormat,
        longest_side: usize,
    ) -> Result<Plane, GpuError> {
        let height = shape.height + border.top + border.bottom;
        let width = (shape.width + border.left + border.right) * shape.channels.div_ceil(4);
        let rows = (longest_side / height.max(1)).max(1);
        let per_row = samples.div_ceil(rows).max(1);
        let image_height = samples.div_ceil(per_row) * height;
        if width * per_row > longest_side || image_height > longest_side {
            return Err(GpuError::ImageTooLarge {
                label,
                width: (width * per_row) as u32,
                height: image_height as u32,
                allowed: longest_side as u32,
            });
        }
        let (width, height) = ((width * per_row) as u32, image_height as u32);
        let image = Image::with_format(label, width, height, format).of(MAPS);
        Ok(Plane {
            image,
            buffer: None,
            samples,
            shape,
            border,
            per_row,
            first_row: 0,
        })
    }

    /// The same plane in a buffer, for what is stored and loaded once a texel. It stays an image if it has f16s, which a buffer has
    /// not, or is larger than what every adapter can bind.
    pub(super) fn in_buffer(self) -> Plane {
        /// `maxStorageBufferBindingSize` of WebGPU's default limits, in words.
        const MOST_WORDS: usize = (128 << 20) / 4;
        let words = 4 * self.row() * self.image.height() as usize;
        let fits = self.image.format() == ImageFormat::F32 && words <= MOST_WORDS;
        let buffer = fits.then(|| Buffer::new(self.image.label(), words).of(MAPS));
        Plane { buffer, ..self }
    }

    /// Texels of a row of the image.
    pub(super) fn row(&self) -> usize {
        self.image.width() as usize
    }

    /// What holds the texels.
    pub(super) fn resource(&self) -> Resource {
        self.buffer.map_or(self.image.into(), Resource::from)
    }

    /// Whether every texel has the same place in both, and the same format.
    pub(super) fn has_layout_of(&self, other: &Plane) -> bool {
        self.image.format() == other.image.format()
            && (
                self.samples,
                self.shape,
                self.border,
                self.per_row,
                self.first_row,
            ) == (
                other.samples,
                other.shape,
                other.border,
                other.per_row,
                other.first_row,
            )
    }

    /// Groups of four channels.
    pub(crate) fn groups(&self) -> usize {
        self.shape.channels.div_ceil(4)
    }

    /// Texels of one sample's map, without its border.
    pub(super) fn map_texels(&self) -> usize {
        self.groups() * self.shape.height * self.shape.width
    }

    fn width(&self) -> usize {
        self.shape.width + self.border.left + self.border.right
    }

    fn height(&self) -> usize {
        self.shape.height + self.border.top + self.border.bottom
    }

    /// Adds the layout to a program; the window starts `padding` texels before the map.
    pub(super) fn describe(&self, program: Program, names: &PlaneNames, padding: usize) -> Program {
        self.describe_without_groups(program, names, padding)
            .format(names.format, self.image.format())
            .u32(names.groups, self.groups())
    }

    pub(super) fn describe_without_groups(
        &self,
        program: Program,
        names: &PlaneNames,
        padding: usize,
    ) -> Program {
        program
            .u32(names.width, self.width())
            .u32(names.height, self.height())
            .u32(names.per_row, self.per_row)
            .u32(names.x, self.border.left - padding)
            .u32(names.y, self.first_row + self.border.top - padding)
    }
}

/// Those of a kernel that has no activation derivatives, has them in an image, and has them in a buffer. They come last.
macro_rules! by_derivative {
    ($name:literal, $immediates:literal, [$($access:expr),* $(,)?], $image:expr, $buffer:expr) => {
        [
            kernel!($name, $immediates, &[$($access),*]),
            kernel!($name, $immediates, &[$($access,)* $image]),
            kernel!($name, $immediates, &[$($access,)* $buffer]),
        ]
    };
}
pub(super) use by_derivative;

/// Of [`by_derivative`], that which suits `derivative`.
pub(super) fn for_derivative(
    kernels: &'static [Kernel; 3],
    derivative: Option<&Plane>,
) -> &'static Kernel {
    match derivative {
        None => &kernels[0],
        Some(plane) => &kernels[1 + usize::from(plane.buffer.is_some())],
    }
}

/// Says how a forward pass keeps activation derivatives: `shaders/shared/keep_derivative.wgsl`.
pub(super) fn describe_kept(program: Program, derivative: Option<&Plane>) -> Program {
    describe_place(program, derivative).flag("STORE_DERIVATIVE", derivative.is_some())
}

/// Says where an input gradient finds the activation derivatives, if there are any: `shaders/shared/kept_derivative.wgsl`. Their
/// format is that of the gradient they are multiplied into.
pub(super) fn describe_derivative(
    program: Program,
    derivative: Option<&Plane>,
    binding: usize,
) -> Program {
    const NAMES: PlaneNames = plane_names!("DERIVATIVE_");
    let program = describe_place(program, derivative)
        .flag("DERIVATIVE", derivative.is_some())
        .u32("DERIVATIVE_BINDING", binding);
    match derivative {
        Some(plane) => plane.describe_without_groups(program, &NAMES, 0),
        None => program
            .u32(NAMES.width, 0)
            .u32(NAMES.height, 0)
            .u32(NAMES.per_row, 1)
            .u32(NAMES.x, 0)
            .u32(NAMES.y, 0),
    }
}

fn describe_place(program: Program, derivative: Option<&Plane>) -> Program {
    let buffered = derivative.filter(|plane| plane.buffer.is_some());
    // So that a program whose derivatives are in an image does not depend on the size of that.
    program
        .flag("DERIVATIVE_IN_BUFFER", buffered.is_some())
        .u32("DERIVATIVE_ROW", buffered.map_or(0, Plane::row))
}
