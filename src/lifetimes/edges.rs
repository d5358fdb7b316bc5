//! What a folder and a file's content refer to, as numbers in few bytes: each as the difference to the one before it, since
//! what is met together has numbers that follow each other.

use super::bytes::{fold, put, take, unfold};

/// What a folder refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// A folder.
    Tree(u32),
    /// A file whose content is this one blob.
    File(u32),
    /// A file with a content of several blobs.
    Content(u32),
}

fn put_list(out: &mut Vec<u8>, numbers: &[u32]) {
    put(out, numbers.len() as u64);
    let mut last = 0;
    for number in numbers {
        put(out, fold(i64::from(*number) - last));
        last = i64::from(*number);
    }
}

fn take_list(bytes: &[u8], at: &mut usize, mut each: impl FnMut(u32)) -> Option<()> {
    let count = take(bytes, at)?;
    let mut last = 0_i64;
    for _ in 0..count {
        last = last.wrapping_add(unfold(take(bytes, at)?));
        each(u32::try_from(last).ok()?);
    }
    Some(())
}

/// Writes down a folder.
pub(super) fn put_folder(out: &mut Vec<u8>, trees: &[u32], files: &[u32], contents: &[u32]) {
    put_list(out, trees);
    put_list(out, files);
    put_list(out, contents);
}

/// Goes through a folder; gives how many bytes it took, or `None` when they are no folder.
pub(super) fn folder(bytes: &[u8], mut each: impl FnMut(Edge)) -> Option<usize> {
    let mut at = 0;
    take_list(bytes, &mut at, |n| each(Edge::Tree(n)))?;
    take_list(bytes, &mut at, |n| each(Edge::File(n)))?;
    take_list(bytes, &mut at, |n| each(Edge::Content(n)))?;
    Some(at)
}

/// Goes through the folders of a folder only.
pub(super) fn trees(bytes: &[u8], each: impl FnMut(u32)) -> Option<()> {
    take_list(bytes, &mut 0, each)
}

/// Writes down the blobs of a content.
pub(super) fn put_content(out: &mut Vec<u8>, blobs: &[u32]) {
    put_list(out, blobs);
}

/// Goes through the blobs of a content; gives how many bytes it took, or `None` when they are none.
pub(super) fn content(bytes: &[u8], each: impl FnMut(u32)) -> Option<usize> {
    let mut at = 0;
    take_list(bytes, &mut at, each)?;
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_back() {
        let mut out = Vec::new();
        put_folder(&mut out, &[7, 3, u32::MAX], &[0], &[]);
        assert_eq!(out.len(), 1 + 1 + 1 + 5 + 2 + 1);
        let mut edges = Vec::new();
        assert_eq!(folder(&out, |edge| edges.push(edge)), Some(out.len()));
        let want = [Edge::Tree(7), Edge::Tree(3), Edge::Tree(u32::MAX), Edge::File(0)];
        assert_eq!(edges, want);
        for short in 0..out.len() {
            assert_eq!(folder(&out[..short], |_| {}), None);
        }
        // A count that is nowhere near true makes no work, a number that cannot be is refused.
        assert_eq!(content(&[0xff, 0xff, 0xff, 0xff, 0x7f, 1], |_| {}), None);
        assert_eq!(content(&[1, 1], |_| {}), None);
    }
}
