//! Hard links: entries of a generation that are names of one file.
//!
//! The first name met in the walk is restored as a file; the others become links to it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::vault::Node;

/// The first names of files with several.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// By `(device, inode, hash of size and content)`: two machines in one generation, or a hostile vault, may use the
    /// same numbers for different files.
    first: HashMap<(u64, u64, u64), First>,
}

/// A first name.
#[derive(Debug, Clone)]
pub(super) struct First {
    /// Its number in the walk.
    pub index: u32,
    /// Its path in the generation.
    pub path: Box<[u8]>,
    /// Names still to come, as far as the generation says.
    left: u64,
}

impl Links {
    /// Tells of a name that is going to be in the target; answers with the first name of the same file, if this is not it.
    pub fn see(&mut self, index: u32, path: &[u8], node: &Node) -> Option<First> {
        if node.links < 2 || node.inode == 0 {
            return None;
        }
        let mut content = DefaultHasher::new();
        (node.size, &node.content).hash(&mut content);
        let key = (node.device_id, node.inode, content.finish());
        match self.first.get_mut(&key) {
            Some(first) => {
                let found = first.clone();
                first.left = first.left.saturating_sub(1);
                if first.left == 0 {
                    self.first.remove(&key);
                }
                Some(found)
            }
            None => {
                self.first.insert(
                    key,
                    First {
                        index,
                        path: path.into(),
                        left: node.links - 1,
                    },
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Id;

    #[test]
    fn names_of_one_file_find_its_first() {
        let node = |inode, content: &[u8]| Node {
            inode,
            device_id: 7,
            links: 3,
            content: Some(vec![Id::of(content)]),
            ..Node::default()
        };
        let mut links = Links::default();
        assert!(links.see(1, b"/a", &node(5, b"x")).is_none());
        assert!(links.see(2, b"/b", &node(6, b"x")).is_none());
        assert!(
            links.see(3, b"/c", &node(5, b"y")).is_none(),
            "same numbers, other content"
        );
        assert_eq!(links.see(4, b"/d", &node(5, b"x")).unwrap().index, 1);
        assert_eq!(&*links.see(5, b"/e", &node(5, b"x")).unwrap().path, b"/a");
        assert!(
            links
                .see(
                    6,
                    b"/f",
                    &Node {
                        links: 1,
                        ..node(5, b"x")
                    }
                )
                .is_none()
        );
        assert!(
            links.see(7, b"/g", &node(5, b"x")).is_none(),
            "all three names were seen: this is another file"
        );
    }
}
