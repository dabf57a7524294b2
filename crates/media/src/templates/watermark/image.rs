//! The frame of a picture file, without decoding it: decoders see a caller's bytes only in a sandboxed child.

/// Format of a watermark's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// PNG.
    Png,
    /// Animated PNG.
    Apng,
    /// JPEG.
    Jpeg,
}

impl ImageKind {
    /// Extension of its files.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Apng => "apng",
            Self::Jpeg => "jpg",
        }
    }
}

/// The format of a file whose frame is whole; `None` for anything else.
pub(super) fn look(bytes: &[u8]) -> Option<ImageKind> {
    if let Some(kind) = whole_png(bytes) {
        return Some(kind);
    }
    is_whole_jpeg(bytes).unwrap_or(false).then_some(ImageKind::Jpeg)
}

fn whole_png(bytes: &[u8]) -> Option<ImageKind> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let (mut is_first, mut has_data, mut kind) = (true, false, ImageKind::Png);
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let checked = rest.get(4..8 + length)?;
        let (name, data) = checked.split_at(4);
        let sum = u32::from_be_bytes(*rest.get(8 + length..)?.first_chunk()?);
        let begins = name == b"IHDR" && data.len() == 13;
        if sum != crc32(checked) || is_first != begins {
            return None;
        }
        if is_first && (data[..4] == [0; 4] || data[4..8] == [0; 4]) {
            return None;
        }
        if name == b"acTL" {
            kind = ImageKind::Apng;
        }
        has_data |= name == b"IDAT";
        if name == b"IEND" {
            return (has_data && rest.len() == 12 + length).then_some(kind);
        }
        is_first = false;
        rest = &rest[12 + length..];
    }
}

fn is_whole_jpeg(bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    let mut has_size = false;
    loop {
        let marker = match rest.first_chunk::<2>()? {
            [0xff, 0xff] => {
                rest = &rest[1..];
                continue;
            }
            [0xff, marker] => *marker,
            _ => return Some(false),
        };
        let length = usize::from(u16::from_be_bytes(*rest.get(2..)?.first_chunk()?));
        let data = rest.get(4..2 + length)?;
        match marker {
            // Frames of all codings; 0xc4, 0xc8 and 0xcc are tables and reserved.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let (height, width) = (data.get(1..3)?, data.get(3..5)?);
                has_size = height != [0, 0] && width != [0, 0];
            }
            // The picture itself follows; some writers add padding after its end.
            0xda => {
                let end = rest.iter().rposition(|b| *b != 0).map(|last| &rest[..=last])?;
                return Some(has_size && end.ends_with(b"\xff\xd9"));
            }
            _ => {}
        }
        rest = rest.get(2 + length..)?;
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(u32::MAX, step)
}

/// A picture may have megabytes, so a byte must not cost eight steps.
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file of one PNG chunk after the other.
    pub(in super::super) fn png(width: u32) -> Vec<u8> {
        let mut header = width.to_be_bytes().to_vec();
        header.extend([0, 0, 0, 1, 8, 0, 0, 0, 0]);
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in [(b"IHDR", header.as_slice()), (b"IDAT", &[1, 2]), (b"IEND", &[])] {
            let checked = [name.as_slice(), data].concat();
            file.extend((data.len() as u32).to_be_bytes());
            file.extend(&checked);
            file.extend(crc32(&checked).to_be_bytes());
        }
        file
    }

    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x08\x08\0\x01\0\x01\x01\xff\xda\0\x02xyz\xff\xd9";

    #[test]
    fn a_whole_file_is_known() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(look(&png(1)), Some(ImageKind::Png));
        assert_eq!(look(JPEG), Some(ImageKind::Jpeg));
        assert_eq!(look(&[JPEG, &[0, 0]].concat()), Some(ImageKind::Jpeg));
    }

    #[test]
    fn a_cut_or_changed_file_is_refused() {
        let whole = png(1);
        for end in 0..whole.len() {
            assert_eq!(look(&whole[..end]), None, "{end}");
        }
        for end in 0..JPEG.len() {
            assert_eq!(look(&JPEG[..end]), None, "{end}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(look(&changed), None, "{at}");
        }
        assert_eq!(look(&png(0)), None);
        assert_eq!(look(b"GIF89a"), None);
        assert_eq!(look(b"<svg/>"), None);
    }
}
