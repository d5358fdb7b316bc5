//! Sealing: AES-256-CTR with Poly1305-AES, as restic does it.
//!
//! Sealed bytes are `nonce (16) ‖ ciphertext ‖ MAC (16)`, [`OVERHEAD`] more than the plain ones. The counter is the whole
//! nonce, taken as one big-endian number. The MAC covers the ciphertext only; its one-time key is `r` and the AES-128 of
//! the nonce under `k`. Everything works in place on buffers the caller reuses; key schedules are made once per key.

use std::cell::RefCell;

use aes::cipher::{BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipher};
use aes::{Aes128, Aes256};
use poly1305::universal_hash::UniversalHash;
use poly1305::{Block, Poly1305};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Error, Result};

/// Bytes of a nonce, in front of the ciphertext.
pub const NONCE_SIZE: usize = 16;
/// Bytes of a MAC, behind the ciphertext.
pub const MAC_SIZE: usize = 16;
/// How many bytes sealing adds.
pub const OVERHEAD: usize = NONCE_SIZE + MAC_SIZE;

type CtrCore<'a> = ctr::CtrCore<&'a Aes256, ctr::flavors::Ctr128BE>;

/// The bytes were not sealed with this key, or were changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its MAC is wrong")]
pub struct BadMac;

/// The raw bytes of a key: what key files hold.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyBytes {
    /// The AES-256 key.
    pub encrypt: [u8; 32],
    /// The AES-128 key that turns a nonce into half of a one-time key.
    pub k: [u8; 16],
    /// The other half; stored as it is, clamped at use.
    pub r: [u8; 16],
}

/// A key that seals and opens. Wiped when dropped, never shown.
pub struct MasterKey {
    bytes: KeyBytes,
    cipher: Aes256,
    mac: Aes128,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

impl MasterKey {
    /// A key from its raw bytes.
    pub fn new(bytes: KeyBytes) -> MasterKey {
        MasterKey {
            cipher: Aes256::new(&bytes.encrypt.into()),
            mac: Aes128::new(&bytes.k.into()),
            bytes,
        }
    }

    /// A key from the 64 bytes a key derivation gives: encrypt ‖ k ‖ r.
    pub fn from_derived(derived: &[u8; 64]) -> MasterKey {
        let mut bytes = KeyBytes {
            encrypt: [0; 32],
            k: [0; 16],
            r: [0; 16],
        };
        bytes.encrypt.copy_from_slice(&derived[..32]);
        bytes.k.copy_from_slice(&derived[32..48]);
        bytes.r.copy_from_slice(&derived[48..]);
        MasterKey::new(bytes)
    }

    /// A new random key.
    pub fn random() -> Result<MasterKey> {
        let mut derived = Zeroizing::new([0; 64]);
        random_bytes(&mut *derived)?;
        Ok(MasterKey::from_derived(&derived))
    }

    /// The raw bytes, for a key file.
    pub fn bytes(&self) -> &KeyBytes {
        &self.bytes
    }

    /// Appends `plain`, sealed under a fresh nonce, to `out`.
    pub fn seal_append(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.reserve(plain.len() + OVERHEAD);
        let start = out.len();
        out.extend_from_slice(&[0; NONCE_SIZE]);
        out.extend_from_slice(plain);
        self.seal_tail(out, start)
    }

    /// Seals the end of `buffer` in place: from `start` on it holds [`NONCE_SIZE`] bytes of any value, then the plain
    /// bytes. The MAC is appended. For those who can produce the plain bytes right where the sealed ones belong.
    pub fn seal_tail(&self, buffer: &mut Vec<u8>, start: usize) -> Result<()> {
        self.seal_tail_with(fresh_nonce()?, buffer, start)
    }

    /// [`MasterKey::seal_tail`] with a nonce given. A nonce must never seal twice.
    pub fn seal_tail_with(&self, nonce: [u8; NONCE_SIZE], buffer: &mut Vec<u8>, start: usize) -> Result<()> {
        let Some((room, plain)) = buffer
            .get_mut(start..)
            .and_then(|tail| tail.split_first_chunk_mut::<NONCE_SIZE>())
        else {
            return Err(Error::Internal("no room was left for a nonce".into()));
        };
        *room = nonce;
        self.keystream(&nonce, plain);
        let mac = self.mac(&nonce, plain);
        buffer.extend_from_slice(&mac);
        Ok(())
    }

    /// Checks the MAC and decrypts in place; returns the plain bytes within `sealed`. After an error `sealed` is as it was.
    pub fn open_in_place<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a mut [u8], BadMac> {
        let nonce = self.check(sealed)?;
        let end = sealed.len() - MAC_SIZE;
        let plain = &mut sealed[NONCE_SIZE..end];
        self.keystream(&nonce, plain);
        Ok(plain)
    }

    /// Checks the MAC and decrypts into `out`, which is cleared first; `sealed` stays as it is.
    pub fn open_into(&self, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), BadMac> {
        let nonce = self.check(sealed)?;
        out.clear();
        out.extend_from_slice(&sealed[NONCE_SIZE..sealed.len() - MAC_SIZE]);
        self.keystream(&nonce, out);
        Ok(())
    }

    /// Checks the MAC, and so that nonce and MAC are there; returns the nonce.
    fn check(&self, sealed: &[u8]) -> Result<[u8; NONCE_SIZE], BadMac> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_SIZE>().ok_or(BadMac)?;
        let (ciphertext, mac) = rest.split_last_chunk::<MAC_SIZE>().ok_or(BadMac)?;
        if *nonce == [0; NONCE_SIZE] || !same(&self.mac(nonce, ciphertext), mac) {
            return Err(BadMac);
        }
        Ok(*nonce)
    }

    fn keystream(&self, nonce: &[u8; NONCE_SIZE], data: &mut [u8]) {
        let core = CtrCore::inner_iv_init(&self.cipher, &(*nonce).into());
        ctr::Ctr128BE::from_core(core).apply_keystream(data);
    }

    fn mac(&self, nonce: &[u8; NONCE_SIZE], ciphertext: &[u8]) -> [u8; MAC_SIZE] {
        let mut key = Zeroizing::new([0; 32]);
        key[..16].copy_from_slice(&self.bytes.r);
        let mut pad = (*nonce).into();
        self.mac.encrypt_block(&mut pad);
        key[16..].copy_from_slice(&pad);
        let mut poly = Poly1305::new(&(*key).into());
        // Whole blocks go through the wide path; `compute_unpadded` ends an incomplete last one as restic does.
        let (blocks, rest) = Block::slice_as_chunks(ciphertext);
        poly.update(blocks);
        poly.compute_unpadded(rest).into()
    }
}

/// Compares in a time that does not depend on where the difference is.
fn same(a: &[u8; MAC_SIZE], b: &[u8; MAC_SIZE]) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b));
    std::hint::black_box(difference) == 0
}

/// Fills `out` with random bytes from the system.
pub fn random_bytes(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out).map_err(|error| Error::Random(error.to_string()))
}

/// How many nonces one system call brings.
const NONCE_BATCH: usize = 64;

struct Nonces {
    bytes: [u8; NONCE_BATCH * NONCE_SIZE],
    used: usize,
}

thread_local! {
    static NONCES: RefCell<Nonces> =
        const { RefCell::new(Nonces { bytes: [0; NONCE_BATCH * NONCE_SIZE], used: NONCE_BATCH * NONCE_SIZE }) };
}

/// A random nonce, never zero. Each thread draws them from the system in batches: small blobs would otherwise cost one
/// system call each.
pub fn fresh_nonce() -> Result<[u8; NONCE_SIZE]> {
    NONCES.with_borrow_mut(|nonces| {
        loop {
            if nonces.used >= nonces.bytes.len() {
                random_bytes(&mut nonces.bytes)?;
                nonces.used = 0;
            }
            let mut nonce = [0; NONCE_SIZE];
            nonce.copy_from_slice(&nonces.bytes[nonces.used..nonces.used + NONCE_SIZE]);
            nonces.used += NONCE_SIZE;
            if nonce != [0; NONCE_SIZE] {
                return Ok(nonce);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap()
    }

    /// The test vectors of the Poly1305-AES paper (appendix B): the MAC of the sealed form, with its own nonce.
    #[test]
    fn mac_equals_the_papers_vectors() {
        let cases = [
            (
                "f3f6",
                "851fc40c3467ac0be05cc20404f3f700",
                "ec074c835580741701425b623235add6",
                "fb447350c4e868c52ac3275cf9d4327e",
                "f4c633c3044fc145f84f335cb81953de",
            ),
            (
                "",
                "a0f3080000f46400d0c7e9076c834403",
                "75deaa25c09f208e1dc4ce6b5cad3fbf",
                "61ee09218d29b0aaed7e154a2c5509cc",
                "dd3fab2251f11ac759f0887129cc2ee7",
            ),
            (
                "663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136",
                "48443d0bb0d21109c89a100b5ce2c208",
                "6acb5f61a7176dd320c5c1eb2edcdc74",
                "ae212a55399729595dea458bc621ff0e",
                "0ee1c16bb73f0f4fd19881753c01cdbe",
            ),
            (
                "ab0812724a7f1e342742cbed374d94d136c6b8795d45b3819830f2c04491faf0990c62e48b8018b2c3e4a0fa3134cb67\
                 fa83e158c994d961c4cb21095c1bf9",
                "12976a08c4426d0ce8a82407c4f48207",
                "e1a5668a4d5b66a5f68cc5424ed5982d",
                "9ae831e743978d3a23527c7128149e3a",
                "5154ad0d2cb26e01274fc51148491f1b",
            ),
        ];
        for (message, r, k, nonce, mac) in cases {
            let key = MasterKey::new(KeyBytes {
                encrypt: [0; 32],
                k: hex(k),
                r: hex(r),
            });
            let message = HEXLOWER.decode(message.as_bytes()).unwrap();
            assert_eq!(key.mac(&hex(nonce), &message), hex::<16>(mac));
        }
    }

    /// NIST SP 800-38A, F.5.5: AES-256 in counter mode.
    #[test]
    fn keystream_equals_nists_vector() {
        let key = KeyBytes {
            encrypt: hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
            k: [1; 16],
            r: [2; 16],
        };
        let mut data = hex::<32>("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        MasterKey::new(key).keystream(&hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), &mut data);
        assert_eq!(
            data,
            hex("601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5")
        );
    }

    #[test]
    fn counter_carries_through_the_whole_nonce() {
        let key = MasterKey::from_derived(&[7; 64]);
        let mut both = [0; 32];
        key.keystream(&[0xff; 16], &mut both);
        let mut second = [0; 16];
        key.keystream(&[0; 16], &mut second);
        assert_eq!(both[16..], second);
    }

    #[test]
    fn a_zero_nonce_and_short_input_are_refused() {
        let key = MasterKey::from_derived(&[7; 64]);
        let mut sealed = vec![0; NONCE_SIZE];
        sealed.extend_from_slice(b"content");
        key.seal_tail_with([0; 16], &mut sealed, 0).unwrap();
        assert_eq!(key.open_in_place(&mut sealed).unwrap_err(), BadMac);
        for length in 0..OVERHEAD {
            assert_eq!(key.open_in_place(&mut vec![1; length]).unwrap_err(), BadMac);
        }
        assert!(key.seal_tail(&mut vec![0; 15], 0).is_err());
        assert!(key.seal_tail(&mut vec![0; 15], 20).is_err());
    }

    #[test]
    fn nonces_do_not_repeat() {
        let nonces: std::collections::HashSet<_> = (0..1000).map(|_| fresh_nonce().unwrap()).collect();
        assert_eq!(nonces.len(), 1000);
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_any_flipped_bit_is_noticed(
            plain in proptest::collection::vec(any::<u8>(), 0..300),
            before in proptest::collection::vec(any::<u8>(), 0..5),
            flip in any::<prop::sample::Index>(),
        ) {
            let key = MasterKey::random().unwrap();
            let mut out = before.clone();
            key.seal_append(&plain, &mut out).unwrap();
            prop_assert_eq!(&out[..before.len()], &before[..]);
            let mut sealed = out.split_off(before.len());
            prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD);

            let mut opened = vec![1, 2, 3];
            key.open_into(&sealed, &mut opened).unwrap();
            prop_assert_eq!(&opened, &plain);

            let mut changed = sealed.clone();
            let bit = flip.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            let as_it_was = changed.clone();
            prop_assert_eq!(key.open_in_place(&mut changed).unwrap_err(), BadMac);
            prop_assert_eq!(changed, as_it_was);
            prop_assert_eq!(key.open_into(&out, &mut opened).is_err(), true);

            prop_assert_eq!(&*key.open_in_place(&mut sealed).unwrap(), &plain[..]);
        }
    }
}
