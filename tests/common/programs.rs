//! Programs without a device: collected from recordings, parsed and validated by naga, compared with what Rust declares.

use afterimage::gpu::Recording;
use afterimage::low_level::gpu::{Access, Command, Dispatch, ImageFormat, Resource, expand};
use naga::{AddressSpace, ImageClass, StorageAccess, StorageFormat, TypeInner};

/// Every launch; those of replays as recorded, as often as they are replayed.
pub fn launches(recording: &Recording) -> Vec<&Dispatch> {
    let commands = recording.commands().iter();
    commands
        .flat_map(|command| match command {
            Command::Dispatch(dispatch) => vec![dispatch],
            Command::Replay { frozen, times, .. } => {
                launches(frozen.recording()).repeat(*times as usize)
            }
            Command::OnlyIf { body, .. } => launches(body),
            _ => Vec::new(),
        })
        .collect()
}

/// Asserts that a launch is of a valid program and gives it what it binds.
pub fn check_dispatch(dispatch: &Dispatch) {
    let kernel = dispatch.program.kernel;
    let (module, _) = validated(dispatch);

    let entries: Vec<_> = module
        .entry_points
        .iter()
        .map(|e| e.name.as_str())
        .collect();
    assert_eq!(entries, ["main"], "{}", kernel.name);
    let program = &dispatch.program;
    let declared: Vec<_> = (0..)
        .zip(kernel.bindings.iter())
        .map(|(number, access)| (number, plain(*access), program.image_format(*access)))
        .collect();
    assert_eq!(bindings(&module), declared, "{}", kernel.name);
    assert_eq!(immediates(&module), kernel.immediates, "{}", kernel.name);

    assert_eq!(dispatch.resources.len(), declared.len(), "{}", kernel.name);
    for (resource, (_, _, format)) in dispatch.resources.iter().zip(declared) {
        let given = match resource {
            Resource::Image(image) => Some(image.format()),
            Resource::Buffer(_) => None,
        };
        assert_eq!(given, format, "{}: {resource:?}", kernel.name);
    }
    assert_eq!(
        dispatch.immediates.len(),
        kernel.immediates as usize,
        "{}",
        kernel.name
    );
    // 65,535 is what every adapter can do (WebGPU's default limit).
    assert!(
        dispatch
            .workgroups
            .iter()
            .all(|&count| (1..=65_535).contains(&count)),
        "{}: {:?}",
        kernel.name,
        dispatch.workgroups
    );
}

/// Asserts that the driver's compiler can be given a launch's program, and returns the bytes of workgroup memory.
pub fn check_spirv(dispatch: &Dispatch) -> usize {
    let kernel = dispatch.program.kernel;
    let (module, info) = validated(dispatch);
    let options = naga::back::spv::Options::default();
    let words = naga::back::spv::write_vec(&module, &info, &options, None)
        .unwrap_or_else(|error| panic!("{}: {error}", kernel.name));
    assert_eq!(words[0], 0x0723_0203, "SPIR-V's magic number");
    let shared = module.global_variables.iter().map(|(_, variable)| variable);
    shared
        .filter(|variable| variable.space == AddressSpace::WorkGroup)
        .map(|variable| module.types[variable.ty].inner.size(module.to_ctx()) as usize)
        .map(|bytes| bytes.next_multiple_of(16))
        .sum()
}

fn validated(dispatch: &Dispatch) -> (naga::Module, naga::valid::ModuleInfo) {
    let kernel = dispatch.program.kernel;
    let text = expand(kernel.source, kernel.shared, &dispatch.program.constants)
        .unwrap_or_else(|error| panic!("{}: {error}", kernel.name));
    let module = naga::front::wgsl::parse_str(&text)
        .unwrap_or_else(|error| panic!("{}: {}", kernel.name, error.emit_to_string(&text)));
    let info = naga::valid::Validator::new(Default::default(), naga::valid::Capabilities::all())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {}", kernel.name, error.emit_to_string(&text)));
    (module, info)
}

/// An access without the name of its format.
fn plain(access: Access) -> Access {
    match access {
        Access::FormatRead(_) => Access::ImageRead,
        Access::FormatWrite(_) => Access::ImageWrite,
        other => other,
    }
}

/// The bindings of a module by number, all of which must be in group 0, with the formats of images.
fn bindings(module: &naga::Module) -> Vec<(u32, Access, Option<ImageFormat>)> {
    let mut bindings = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let (access, format) = match variable.space {
            AddressSpace::Storage { access } => (buffer_access(access), None),
            AddressSpace::Handle => image_access(&module.types[variable.ty].inner),
            AddressSpace::WorkGroup | AddressSpace::Private | AddressSpace::Immediate => continue,
            other => panic!("a variable in {other:?}, which no kernel declares"),
        };
        let binding = variable.binding.expect("resources are bound");
        assert_eq!(binding.group, 0);
        bindings.push((binding.binding, access, format));
    }
    bindings.sort_by_key(|&(number, ..)| number);
    bindings
}

fn buffer_access(access: StorageAccess) -> Access {
    if access == StorageAccess::LOAD {
        Access::Read
    } else {
        assert_eq!(access, StorageAccess::LOAD | StorageAccess::STORE);
        Access::ReadWrite
    }
}

fn image_access(inner: &TypeInner) -> (Access, Option<ImageFormat>) {
    let TypeInner::Image {
        dim: naga::ImageDimension::D2,
        arrayed: false,
        class: ImageClass::Storage { format, access },
    } = *inner
    else {
        panic!("{inner:?} is no two-dimensional storage texture");
    };
    let format = match format {
        StorageFormat::Rgba32Float => ImageFormat::F32,
        StorageFormat::Rgba16Float => ImageFormat::F16,
        other => panic!("a storage texture of {other:?}"),
    };
    let access = match access {
        StorageAccess::LOAD => Access::ImageRead,
        StorageAccess::STORE => Access::ImageWrite,
        other => panic!("a storage texture with {other:?}"),
    };
    (access, Some(format))
}

/// 32-bit words of the immediates.
fn immediates(module: &naga::Module) -> u32 {
    module
        .global_variables
        .iter()
        .filter(|(_, variable)| variable.space == AddressSpace::Immediate)
        .map(|(_, variable)| module.types[variable.ty].inner.size(module.to_ctx()) / 4)
        .sum()
}
