//! Which format a file has, by its first bytes.

/// As many first bytes as [`Kind::of`] looks at.
pub(super) const START: usize = 16;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Png,
    Jpeg,
    /// A picture in a format that is not read.
    Unread(&'static str),
    /// Called PNG or JPEG, but its bytes are not those of a picture.
    Broken,
    NoPicture,
}

/// A format of pictures: its usual endings, and how its files start, where that cannot be mistaken. A `?` stands for any
/// byte.
struct Format {
    kind: Kind,
    endings: &'static [&'static str],
    starts: &'static [&'static [u8]],
}

const fn unread(
    name: &'static str,
    endings: &'static [&'static str],
    starts: &'static [&'static [u8]],
) -> Format {
    Format {
        kind: Kind::Unread(name),
        endings,
        starts,
    }
}

const FORMATS: [Format; 19] = [
    Format {
        kind: Kind::Png,
        endings: &["png", "apng"],
        starts: &[b"\x89PNG\r\n\x1a\n"],
    },
    Format {
        kind: Kind::Jpeg,
        endings: &["jpg", "jpeg", "jpe", "jfif"],
        starts: &[b"\xff\xd8\xff"],
    },
    unread("AVIF", &["avif"], &[b"????ftypavif", b"????ftypavis"]),
    unread("BMP", &["bmp", "dib"], &[b"BM????\0\0\0\0"]),
    unread("DDS", &["dds"], &[b"DDS "]),
    unread("GIF", &["gif"], &[b"GIF87a", b"GIF89a"]),
    unread(
        "HEIC",
        &["heic", "heif"],
        &[b"????ftyphei?", b"????ftyphev?", b"????ftypmif1"],
    ),
    unread(
        "ICO",
        &["ico", "cur"],
        &[b"\0\0\x01\0?\0", b"\0\0\x02\0?\0"],
    ),
    unread(
        "JPEG 2000",
        &["jp2", "j2k", "jpx"],
        &[b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"],
    ),
    unread(
        "JPEG XL",
        &["jxl"],
        &[b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"],
    ),
    unread("OpenEXR", &["exr"], &[b"v/1\x01"]),
    unread("Photoshop", &["psd", "psb"], &[b"8BPS"]),
    unread(
        "PNM",
        &["pbm", "pgm", "ppm", "pnm", "pam", "pfm"],
        &[
            b"P4\n",
            b"P5\n",
            b"P6\n",
            b"P7\nWIDTH",
            b"PF\n",
            b"Pf\n",
            b"P1\n#",
            b"P2\n#",
            b"P3\n#",
        ],
    ),
    unread("QOI", &["qoi"], &[b"qoif"]),
    unread("Radiance HDR", &["hdr"], &[b"#?RADIANCE", b"#?RGBE"]),
    unread("SVG", &["svg"], &[]),
    unread("TGA", &["tga"], &[]),
    unread(
        "TIFF",
        &["tif", "tiff", "dng"],
        &[b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"],
    ),
    unread("WebP", &["webp"], &[b"RIFF????WEBP"]),
];

impl Kind {
    /// The kind of a file called `name` whose first bytes are `start`: by its bytes, and where they say nothing by its
    /// name.
    pub(super) fn of(start: &[u8], name: &str) -> Kind {
        let begins = |pattern: &&[u8]| {
            let mut pairs = pattern.iter().zip(start);
            start.len() >= pattern.len() && pairs.all(|(&is, byte)| is == b'?' || is == *byte)
        };
        if let Some(format) = FORMATS
            .iter()
            .find(|format| format.starts.iter().any(begins))
        {
            return format.kind;
        }
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_lowercase());
        let is_named = |format: &&Format| {
            ending
                .as_deref()
                .is_some_and(|e| format.endings.contains(&e))
        };
        match FORMATS.iter().find(is_named).map(|format| format.kind) {
            Some(Kind::Png | Kind::Jpeg) => Kind::Broken,
            Some(kind) => kind,
            None => Kind::NoPicture,
        }
    }
}
