//! AES-128 of whole segments: each file of HLS is one run of block chaining with padding at its end.

use aes::Aes128;
use cbc::Encryptor;
use cbc::cipher::{Block, BlockModeEncrypt as _, KeyIvInit as _};

use super::{Iv, Key};

const BLOCK: usize = 16;

/// Encrypts one segment, given piece by piece.
pub struct Segment {
    mode: Encryptor<Aes128>,
    rest: Vec<u8>,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Segment(******)")
    }
}

impl Segment {
    /// Begins a segment.
    pub fn new(key: &Key, iv: &Iv) -> Self {
        Self { mode: Encryptor::new(key.reveal().into(), iv.bytes().into()), rest: Vec::with_capacity(BLOCK) }
    }

    /// Takes the next piece and appends what is complete to `out`.
    pub fn push(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        if !self.rest.is_empty() {
            let wanted = (BLOCK - self.rest.len()).min(piece.len());
            let (head, tail) = piece.split_at(wanted);
            self.rest.extend_from_slice(head);
            piece = tail;
            if self.rest.len() < BLOCK {
                return;
            }
            let full = std::mem::take(&mut self.rest);
            self.block(&full, out);
        }
        let (whole, tail) = piece.split_at(piece.len() / BLOCK * BLOCK);
        out.reserve(whole.len());
        for block in whole.chunks_exact(BLOCK) {
            self.block(block, out);
        }
        self.rest.extend_from_slice(tail);
    }

    /// Ends the segment: pads as PKCS#7 says, so that there always is a last block.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let padding = BLOCK - self.rest.len();
        let mut last = std::mem::take(&mut self.rest);
        last.resize(BLOCK, padding as u8);
        self.block(&last, out);
    }

    fn block(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        let mut block = Block::<Encryptor<Aes128>>::default();
        block.copy_from_slice(plain);
        self.mode.encrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
}

/// The whole of a short segment at once.
pub fn encrypt(key: &Key, iv: &Iv, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + BLOCK);
    let mut segment = Segment::new(key, iv);
    segment.push(plain, &mut out);
    segment.finish(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key, vector, first two blocks of plain text and of cipher text of the standard's own example.
    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const IV: &str = "000102030405060708090a0b0c0d0e0f";
    const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
    const CIPHER: &str = "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2";

    #[test]
    fn it_is_the_standards_cipher() {
        let (key, iv) = (Key::parse(KEY).unwrap(), Iv::parse(IV).unwrap());
        let made = encrypt(&key, &iv, &hex::decode(PLAIN).unwrap());
        assert_eq!((hex::encode(&made[..32]), made.len()), (CIPHER.to_owned(), 48));
    }

    #[test]
    fn pieces_make_the_same_as_the_whole() {
        let (key, iv) = (Key::parse(KEY).unwrap(), Iv::of_segment(3));
        let plain: Vec<u8> = (0..1000_u32).map(|n| n as u8).collect();
        for length in [0, 1, 15, 16, 17, 31, 32, 999, 1000] {
            let whole = encrypt(&key, &iv, &plain[..length]);
            assert_eq!(whole.len(), length / 16 * 16 + 16);
            for size in [1, 7, 16, 33] {
                let (mut segment, mut out) = (Segment::new(&key, &iv), Vec::new());
                plain[..length].chunks(size).for_each(|piece| segment.push(piece, &mut out));
                segment.finish(&mut out);
                assert_eq!(out, whole, "{length} in pieces of {size}");
            }
        }
    }
}
