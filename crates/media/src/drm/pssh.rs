//! `pssh` boxes: what a player's system of licences is told about a key, inside a file and in manifests.

use aes::Aes128;
use aes::cipher::{Block, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_core::{Error, Result};

use super::{Key, Kid, Scheme, System};

/// The most that the boxes of one system and key may have together.
pub const BYTES: usize = 64 << 10;
/// The most keys that a box may list.
const KIDS: usize = 256;

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pssh {
    /// Id of the system.
    pub system_id: [u8; 16],
    /// The keys that it lists; only boxes of version 1 do.
    pub kids: Vec<Kid>,
    /// What the system makes of it.
    pub data: Vec<u8>,
}

impl Pssh {
    /// The box as bytes: version 1 if it lists keys.
    pub fn bytes(&self) -> Vec<u8> {
        let version = u32::from(!self.kids.is_empty()) << 24;
        let mut body = version.to_be_bytes().to_vec();
        body.extend(self.system_id);
        if !self.kids.is_empty() {
            body.extend((self.kids.len() as u32).to_be_bytes());
            self.kids.iter().for_each(|kid| body.extend(kid.bytes()));
        }
        body.extend((self.data.len() as u32).to_be_bytes());
        body.extend(&self.data);
        let mut whole = (body.len() as u32 + 8).to_be_bytes().to_vec();
        whole.extend(b"pssh");
        whole.extend(body);
        whole
    }
}

/// Reads boxes that follow each other, to the last byte.
///
/// # Errors
/// `InvalidInput` for anything that is not that.
pub fn parse(bytes: &[u8]) -> Result<Vec<Pssh>> {
    if bytes.len() > BYTES {
        return Err(Error::invalid(format!("the pssh boxes have more than {BYTES} bytes")));
    }
    let mut rest = Reader(bytes);
    let mut boxes = Vec::new();
    while !rest.0.is_empty() {
        let size = rest.number()? as usize;
        let body = size.checked_sub(4).ok_or_else(wrong)?;
        boxes.push(one(Reader(rest.take(body)?))?);
    }
    if boxes.is_empty() { Err(wrong()) } else { Ok(boxes) }
}

fn one(mut body: Reader<'_>) -> Result<Pssh> {
    if body.take(4)? != b"pssh" {
        return Err(wrong());
    }
    let version = body.number()? >> 24;
    let system_id = body.sixteen()?;
    let kids = match version {
        0 => Vec::new(),
        1 => {
            let count = body.number()? as usize;
            if count > KIDS {
                return Err(Error::invalid(format!("a pssh box lists more than {KIDS} keys")));
            }
            (0..count).map(|_| body.sixteen().map(Kid::from)).collect::<Result<_>>()?
        }
        other => return Err(Error::invalid(format!("a pssh box has the unknown version {other}"))),
    };
    let length = body.number()? as usize;
    let data = body.take(length)?.to_vec();
    if body.0.is_empty() { Ok(Pssh { system_id, kids, data }) } else { Err(wrong()) }
}

fn wrong() -> Error {
    Error::invalid("a pssh box is not well-formed")
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(wrong)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn sixteen(&mut self) -> Result<[u8; 16]> {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(self.take(16)?);
        Ok(bytes)
    }
}

/// The box that lists keys and says nothing else, for ClearKey.
pub fn common(kids: &[Kid]) -> Pssh {
    Pssh { system_id: System::ClearKey.id(), kids: kids.to_vec(), data: Vec::new() }
}

/// A box of Widevine: key, content id and scheme, as its protocol buffer has them.
pub fn widevine(kid: Kid, content_id: &str, scheme: Scheme) -> Pssh {
    let mut data = vec![0x12, 16];
    data.extend(kid.bytes());
    data.extend([0x22, content_id.len().min(127) as u8]);
    data.extend(content_id.bytes().take(127));
    let mut scheme = u64::from(u32::from_be_bytes(four(scheme)));
    data.push(0x48);
    while scheme > 0x7f {
        data.push((scheme & 0x7f) as u8 | 0x80);
        scheme >>= 7;
    }
    data.push(scheme as u8);
    Pssh { system_id: System::Widevine.id(), kids: Vec::new(), data }
}

/// A box of PlayReady: an object with one header.
pub fn playready(kid: Kid, key: &Key, scheme: Scheme) -> Pssh {
    // PlayReady writes ids as structures whose first three numbers are little-endian.
    let mut guid = *kid.bytes();
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    let id = STANDARD.encode(guid);
    let begin = r#"<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader" version="#;
    let header = match scheme {
        Scheme::Cenc => {
            let mut block = Block::<Aes128>::default();
            block.copy_from_slice(&guid);
            Aes128::new(key.reveal().into()).encrypt_block(&mut block);
            let checksum = STANDARD.encode(&block[..8]);
            format!(
                r#"{begin}"4.0.0.0"><DATA><PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{id}</KID><CHECKSUM>{checksum}</CHECKSUM></DATA></WRMHEADER>"#
            )
        }
        Scheme::Cbcs => format!(
            r#"{begin}"4.3.0.0"><DATA><PROTECTINFO><KIDS><KID ALGID="AESCBC" VALUE="{id}"></KID></KIDS></PROTECTINFO></DATA></WRMHEADER>"#
        ),
    };
    let header: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut data = (header.len() as u32 + 10).to_le_bytes().to_vec();
    data.extend([1, 0, 1, 0]);
    data.extend((header.len() as u16).to_le_bytes());
    data.extend(header);
    Pssh { system_id: System::PlayReady.id(), kids: Vec::new(), data }
}

fn four(scheme: Scheme) -> [u8; 4] {
    match scheme {
        Scheme::Cenc => *b"cenc",
        Scheme::Cbcs => *b"cbcs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kid() -> Kid {
        Kid::from([0x11; 16])
    }

    #[test]
    fn boxes_are_read_as_they_are_written() {
        let key = Key::new([3; 16]);
        let boxes = [
            common(&[kid()]),
            widevine(kid(), "film-1", Scheme::Cbcs),
            playready(kid(), &key, Scheme::Cenc),
            playready(kid(), &key, Scheme::Cbcs),
        ];
        let bytes: Vec<u8> = boxes.iter().flat_map(Pssh::bytes).collect();
        assert_eq!(parse(&bytes).unwrap(), boxes);
    }

    #[test]
    fn the_scheme_is_the_number_that_widevine_knows() {
        let data = widevine(kid(), "f", Scheme::Cenc).data;
        assert!(data.ends_with(&[0x48, 0xe3, 0xdc, 0x95, 0x9b, 0x06]), "{data:02x?}");
    }

    #[test]
    fn playreadys_checksum_is_that_of_the_packager() {
        // Key id and key of eight bytes each time, and the header that the pinned packager makes of them.
        let key = Key::parse("00112233445566778899aabbccddeeff").unwrap();
        let data = playready(kid(), &key, Scheme::Cenc).data;
        let text = String::from_utf16(
            &data[10..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect::<Vec<_>>(),
        );
        let text = text.unwrap();
        assert!(
            text.contains("<KID>EREREREREREREREREREREQ==</KID><CHECKSUM>r+aTWN7FcZM=</CHECKSUM>"),
            "{text}"
        );
    }

    #[test]
    fn nothing_but_whole_boxes_is_taken() {
        let good = widevine(kid(), "film-1", Scheme::Cbcs).bytes();
        for length in 0..good.len() {
            assert!(parse(&good[..length]).is_err(), "{length}");
        }
        let listing = common(&[kid()]).bytes();
        for at in 0..listing.len() {
            let mut odd = listing.clone();
            odd[at] ^= 0xff;
            // Whatever a changed byte means, reading it ends without a panic.
            let _ = parse(&odd);
        }
        let with = |at: usize, value: u8| {
            let mut odd = listing.clone();
            odd[at] = value;
            parse(&odd).is_err()
        };
        assert!(with(3, 0) && with(3, 7) && with(4, b'x') && with(8, 2) && with(28, 0xff) && with(31, 2));
        assert!(parse(&vec![0; BYTES + 1]).is_err());
    }
}
