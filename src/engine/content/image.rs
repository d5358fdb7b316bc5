//! Formats and sizes of pictures, from their headers alone (each format's own specification; JPEG: ITU-T T.81, annex B).

/// Formats that are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is its own name
pub enum ImageFormat {
    Png,
    Jpeg,
    Gif,
    WebP,
    Bmp,
}

impl ImageFormat {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            ImageFormat::Png => "PNG image",
            ImageFormat::Jpeg => "JPEG image",
            ImageFormat::Gif => "GIF image",
            ImageFormat::WebP => "WebP image",
            ImageFormat::Bmp => "BMP image",
        }
    }
}

/// Pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// The format of a picture, and its size where the bytes given reach that far.
pub fn image_size(head: &[u8]) -> Option<(ImageFormat, Option<ImageSize>)> {
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some((ImageFormat::Png, png(head)));
    }
    if head.starts_with(b"\xff\xd8\xff") {
        return Some((ImageFormat::Jpeg, jpeg(head)));
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        let size = size(little(head, 6, 2), little(head, 8, 2));
        return Some((ImageFormat::Gif, size));
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some((ImageFormat::WebP, webp(head)));
    }
    if head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4]) {
        return Some((ImageFormat::Bmp, bmp(head)));
    }
    None
}

fn size(width: Option<u32>, height: Option<u32>) -> Option<ImageSize> {
    Some(ImageSize {
        width: width?,
        height: height?,
    })
}

/// A number of up to four bytes at a place, least significant first.
fn little(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte)))
}

/// The same, most significant first.
fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
}

fn png(head: &[u8]) -> Option<ImageSize> {
    if head.get(12..16)? != b"IHDR" {
        return None;
    }
    size(big(head, 16, 4), big(head, 20, 4))
}

/// Goes from marker to marker to the one that starts the frame.
fn jpeg(head: &[u8]) -> Option<ImageSize> {
    let mut at = 2;
    loop {
        if *head.get(at)? != 0xff {
            return None;
        }
        let marker = *head.get(at + 1)?;
        match marker {
            // Fill bytes, and markers that stand alone.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            // Any start of frame; c4, c8 and cc are tables and reserved.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return size(big(head, at + 7, 2), big(head, at + 5, 2));
            }
            // The picture's data, or its end, without a frame before it.
            0xd9 | 0xda => return None,
            _ => at = at.checked_add(2 + (big(head, at + 2, 2)? as usize).max(2))?,
        }
    }
}

fn webp(head: &[u8]) -> Option<ImageSize> {
    match head.get(12..16)? {
        // Lossy: behind the frame's tag and start code; two bits of each are a scale.
        b"VP8 " => size(
            little(head, 26, 2).map(|n| n & 0x3fff),
            little(head, 28, 2).map(|n| n & 0x3fff),
        ),
        // Lossless: fourteen bits each, less one, behind a signature byte.
        b"VP8L" => {
            let bits = little(head, 21, 4)?;
            size(Some((bits & 0x3fff) + 1), Some((bits >> 14 & 0x3fff) + 1))
        }
        // Extended: the canvas, less one.
        b"VP8X" => size(little(head, 24, 3).map(|n| n + 1), little(head, 27, 3).map(|n| n + 1)),
        _ => None,
    }
}

fn bmp(head: &[u8]) -> Option<ImageSize> {
    match little(head, 14, 4)? {
        12 => size(little(head, 18, 2), little(head, 20, 2)),
        // Negative heights mean rows from top to bottom.
        40.. => {
            let signed = |at| little(head, at, 4).map(|n| n.cast_signed().unsigned_abs());
            size(signed(18), signed(22))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A 640×480 picture's header in each format.
    fn samples() -> Vec<(ImageFormat, Vec<u8>)> {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0, 0, 2, 0x80, 0, 0, 1, 0xe0, 8, 6, 0, 0, 0]);
        let mut jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
        jpeg.extend(b"\xff\xff\xe1\0\x04ab\xff\xc4\0\x03x\xff\xc2\0\x11\x08\x01\xe0\x02\x80\x03");
        let gif = b"GIF89a\x80\x02\xe0\x01\xf7".to_vec();
        let riff = |kind: &[u8], rest: &[u8]| [b"RIFF\x10\0\0\0WEBP", kind, b"\x10\0\0\0", rest].concat();
        let lossy = riff(b"VP8 ", b"\0\0\0\x9d\x01\x2a\x80\x02\xe0\x01");
        let packed: u32 = 639 | 479 << 14;
        let lossless = riff(b"VP8L", &[&[0x2f][..], &packed.to_le_bytes()].concat());
        let extended = riff(b"VP8X", &[0, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0]);
        let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x80\x02\0\0".to_vec();
        bmp.extend((-480i32).to_le_bytes());
        vec![
            (ImageFormat::Png, png),
            (ImageFormat::Jpeg, jpeg),
            (ImageFormat::Gif, gif),
            (ImageFormat::WebP, lossy),
            (ImageFormat::WebP, lossless),
            (ImageFormat::WebP, extended),
            (ImageFormat::Bmp, bmp),
        ]
    }

    #[test]
    fn headers_tell_format_and_size() {
        let expected = ImageSize {
            width: 640,
            height: 480,
        };
        for (format, bytes) in samples() {
            assert_eq!(image_size(&bytes), Some((format, Some(expected))));
        }
        assert_eq!(image_size(b"BMX is a bicycle"), None);
        assert_eq!(image_size(b"\xff\xd8\xff\xda"), Some((ImageFormat::Jpeg, None)));
    }

    #[test]
    fn cut_headers_tell_the_format_only() {
        for (format, bytes) in samples() {
            for length in 16..bytes.len() {
                let told = image_size(&bytes[..length]);
                assert_eq!(told.map(|told| told.0), Some(format), "{length} bytes");
            }
        }
    }

    proptest! {
        #[test]
        fn hostile_headers_never_panic(kind in 0usize..7, at in 0usize..40, noise: Vec<u8>) {
            let mut bytes = samples().swap_remove(kind).1;
            let at = at.min(bytes.len());
            bytes.splice(at.., noise);
            image_size(&bytes);
        }
    }
}
