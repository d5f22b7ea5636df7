//! The packed form: four bytes of magic, then one varint an event to the end of the file.
//!
//! ```text
//! file    "TPT1" event*
//! event   varint(size << 1)                     allocate; the ID is the lowest not in use
//!         varint(zigzag(last - id) << 1 | 1)    free; `last` is the ID of the event before, 0 at the start
//! varint  LEB128: seven bits a byte, lowest first, the top bit set on all bytes but the last
//! zigzag  0, -1, 1, -2, 2, ... as 0, 1, 2, 3, 4, ...
//! ```
//!
//! Blocks die young and near their neighbours, so most distances fit one byte: the transport trace
//! takes 1.2 bytes an event, its text 8.1 (`show` prints the events, `pack` and `unpack` the
//! bytes).

use crate::error::{At, FormatError};
use crate::{Event, Trace};

const MAGIC: &[u8] = b"TPT1";

/// Packs a trace. [`unpack`] of the result gives an equal one.
pub fn pack(trace: &Trace) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let mut last = 0;
    for event in trace.events() {
        let (id, code) = match event {
            Event::Alloc { id, size } => (id, u64::from(size) << 1),
            Event::Free { id } => (id, zigzag(i64::from(last) - i64::from(id)) << 1 | 1),
        };
        put_varint(&mut out, code);
        last = id;
    }
    out
}

/// Reads the packed form.
///
/// # Errors
/// The bytes do not start with the magic, end inside an event, free a block that is not live, or
/// hold a number that no trace has.
pub fn unpack(bytes: &[u8]) -> Result<Trace, FormatError> {
    let error =
        |offset, what: &'static str| FormatError { at: At::Byte(offset), what: what.into() };
    let mut rest =
        bytes.strip_prefix(MAGIC).ok_or(error(0, "no trace: it does not start with TPT1"))?;
    let mut trace = Trace::default();
    let mut last = 0;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let error = |what| error(offset, what);
        let code = take_varint(&mut rest).ok_or(error("an event that is cut off or too large"))?;
        if code & 1 == 0 {
            let size =
                u32::try_from(code >> 1).map_err(|_| error("an allocation of more than 4 GiB"))?;
            last = trace.alloc(size);
        } else {
            let id = u32::try_from(i64::from(last) - unzigzag(code >> 1)).ok();
            last = id
                .filter(|&id| trace.free(id))
                .ok_or(error("a free of a block that is not live"))?;
        }
    }
    Ok(trace)
}

fn zigzag(n: i64) -> u64 {
    (n << 1 ^ n >> 63) as u64
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Six bytes hold 42 bits, more than any event needs; a longer varint is refused.
fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let length = 1 + bytes.iter().take(6).position(|byte| byte & 0x80 == 0)?;
    let (varint, rest) = bytes.split_at(length);
    *bytes = rest;
    Some(varint.iter().rev().fold(0, |n, byte| n << 7 | u64::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive() {
        for n in [0, 1, 63, 64, 127, 128, 129, 16_383, 16_384, u64::from(u32::MAX) << 1] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, n);
            assert_eq!(take_varint(&mut &bytes[..]), Some(n));
        }
        for n in [0, -1, 1, -2, 2, i64::from(u32::MAX), -i64::from(u32::MAX)] {
            assert_eq!(unzigzag(zigzag(n)), n);
        }
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
    }

    #[test]
    fn a_trace_survives_with_numbers_of_every_length() {
        let mut trace = Trace::default();
        for size in [0, 1, 63, 64, 100_000, u32::MAX] {
            for _ in 0..200 {
                trace.alloc(size);
            }
        }
        // Near and far frees, up and down, between allocations that take the freed IDs again.
        for id in [2, 1_199, 0, 600].into_iter().chain((100..1_100).step_by(7)).chain((3..90).rev())
        {
            assert!(trace.free(id), "{id}");
            if id % 2 == 0 {
                trace.alloc(id * id);
            }
        }
        assert_eq!(unpack(&pack(&trace)), Ok(trace));
    }

    #[test]
    fn an_example_byte_for_byte() {
        let mut trace = Trace::default();
        let (a, b) = (trace.alloc(5), trace.alloc(100));
        assert!(trace.free(a) && trace.free(b));
        assert_eq!(pack(&trace), b"TPT1\x0a\xc8\x01\x05\x03");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |bytes: &[u8]| unpack(bytes).unwrap_err().to_string();
        assert_eq!(error(b"TPT0"), "byte 0: no trace: it does not start with TPT1");
        assert_eq!(error(b"TPT1\x0a\xc8"), "byte 5: an event that is cut off or too large");
        assert_eq!(
            error(b"TPT1\x80\x80\x80\x80\x80\x80\x01"),
            "byte 4: an event that is cut off or too large"
        );
        assert_eq!(error(b"TPT1\x80\x80\x80\x80\x40"), "byte 4: an allocation of more than 4 GiB");
        assert_eq!(error(b"TPT1\x0a\x01\x01"), "byte 6: a free of a block that is not live");
        assert_eq!(error(b"TPT1\x0a\x05"), "byte 5: a free of a block that is not live");
    }
}
