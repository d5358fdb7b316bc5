//! Trees as restic stores them, and trees of every kind of nonsense.

use proptest::prelude::*;

use super::*;
use crate::vault::{Id, Time};

/// The listing of a folder of hard names and types, exactly as restic 0.18.0 stored it (`restic cat blob`), but for one
/// attribute's name that was not UTF-8: its bytes are lost in the format, so that neither program can write it back.
const RESTIC_0_18: &[u8] = include_bytes!("fixtures/restic-0.18.json");

#[test]
fn restic_tree_is_written_back_to_the_byte() {
    let tree = Tree::decode(RESTIC_0_18).unwrap();
    let again = tree.encode();
    let nodes = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("},{", "},\n{");
    for (ours, theirs) in nodes(&again).lines().zip(nodes(RESTIC_0_18).lines()) {
        assert_eq!(ours, theirs);
    }
    assert!(again == RESTIC_0_18);
    assert!(tree.nodes.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn restic_tree_is_understood() {
    let tree = Tree::decode(RESTIC_0_18).unwrap();
    assert_eq!(tree.nodes.len(), 60);
    let bad = tree.find(b"link_bad").unwrap();
    assert_eq!(
        bad.link_target,
        b"\xf0\x9f\x92x\xff\xc3\xa9<&>\x08\x0c\x01\"\\\n\t\r\x7f\xe2\x80\xa8'"
    );
    assert_eq!((bad.kind, &bad.content), (NodeType::Symlink, &None));
    let set = tree.find(b"set").unwrap();
    assert_eq!((set.unix_permissions(), set.links, set.size), (0o6755, 2, 1));
    assert_eq!(set.xattrs[0].name, b"security.capability");
    let dir = tree.find(b"dir").unwrap();
    assert_eq!(
        (dir.unix_permissions(), dir.is_dir(), dir.subtree.is_some()),
        (0o3777, true, true)
    );
    let chr = tree.find(b"chr").unwrap();
    assert_eq!(
        (chr.kind, chr.device, chr.unix_permissions()),
        (NodeType::CharDev, 256_007, 0o644)
    );
    let zero = tree.find(b"zero").unwrap();
    assert_eq!((zero.mode, &zero.content), (0, &Some(Vec::new())));
    let hard = tree.find(b"hard").unwrap();
    assert_eq!((&*hard.user, &*hard.group, hard.uid, hard.gid), ("", "", 12345, 54321));
    let names: Vec<_> = tree
        .find(b"xa")
        .unwrap()
        .xattrs
        .iter()
        .map(|x| String::from_utf8_lossy(&x.name))
        .collect();
    assert_eq!(
        names,
        ["user.b", "user.a", "trusted.x", "user.é<", "system.posix_acl_access"]
    );
}

#[test]
fn empty_trees() {
    assert_eq!(Tree::default().encode(), b"{\"nodes\":[]}\n");
    for text in [
        "{\"nodes\":[]}\n",
        "{\"nodes\":null}\n",
        "{}",
        " { \"other\" : [1,{\"a\":\"]\"}] , \"nodes\" : [ ] } \n",
    ] {
        assert_eq!(Tree::decode(text.as_bytes()), Ok(Tree::default()), "{text}");
    }
}

#[test]
fn unknown_fields_and_windows_attributes_are_kept() {
    let text = "{\"nodes\":[{\"name\":\"a\",\"type\":\"file\",\"mtime\":\"2024-01-02T03:04:05Z\",\"atime\":\"2024-01-02T03:04:05Z\",\
        \"ctime\":\"2024-01-02T03:04:05Z\",\"uid\":0,\"gid\":0,\"generic_attributes\":{\"windows.file_attributes\":32,\"x\":[\"}\"]},\
        \"content\":[],\"error\":\"n\\u003co\",\"later\":{\"a\": [1, null]},\"n\\u0026m\":-1.5e3}]}\n";
    let tree = Tree::decode(text.as_bytes()).unwrap();
    let extra = tree.nodes[0].extra.as_deref().unwrap();
    assert_eq!(
        extra.generic_attributes,
        "{\"windows.file_attributes\":32,\"x\":[\"}\"]}"
    );
    assert_eq!(extra.error, "n<o");
    assert_eq!(extra.unknown.len(), 2);
    assert_eq!(String::from_utf8(tree.encode()).unwrap(), text);
}

#[test]
fn any_order_and_nulls_are_read() {
    let text = r#"{"nodes":[{"subtree":null,"content":null,"user":null,"size":null,"type":"fifo","gid":7,"name":"a","xyz":null}]}"#;
    let tree = Tree::decode(text.as_bytes()).unwrap();
    assert_eq!(
        (tree.nodes[0].kind, tree.nodes[0].gid, &*tree.nodes[0].name),
        (NodeType::Fifo, 7, &b"a"[..])
    );
}

#[test]
fn owners_are_not_inherited_from_the_node_before() {
    let text = r#"{"nodes":[{"name":"a","type":"file","user":"u","group":"g"},{"name":"b","type":"file"},{"name":"c","type":"file","user":"u"}]}"#;
    let tree = Tree::decode(text.as_bytes()).unwrap();
    let owners: Vec<_> = tree.nodes.iter().map(|n| (&*n.user, &*n.group)).collect();
    assert_eq!(owners, [("u", "g"), ("", ""), ("u", "")]);
}

#[test]
fn damage_is_named() {
    let node = |fields: &str| format!(r#"{{"nodes":[{{"name":"a","type":"file"{fields}}}]}}"#);
    let cases = [
        (String::new(), "'{' is missing"),
        ("{\"nodes\":[".into(), "a node is not an object"),
        ("{\"nodes\":[null]}".into(), "a node is not an object"),
        ("{\"nodes\":[{}]}".into(), "a node has no type"),
        ("{\"nodes\":[{\"type\":\"file\"}]}".into(), "a node has no name"),
        (
            "{\"nodes\":[{\"name\":\"a\",\"type\":\"door\"}]}".into(),
            "unknown node type \"door\"",
        ),
        ("{\"nodes\":[]}x".into(), "more follows"),
        ("{\"nodes\":[],}".into(), "'\"' is missing"),
        ("{\"nodes\":[{\"name\":\"a".into(), "a string does not end"),
        ("{\"nodes\":[{\"name\":\"a\\".into(), "a string does not end"),
        (
            "{\"nodes\":[{\"name\":\"\\'\",\"type\":\"file\"}]}".into(),
            "an unknown escape",
        ),
        (
            "{\"nodes\":[{\"name\":\"\\\\'\",\"type\":\"file\"}]}".into(),
            "not quoted as it should be",
        ),
        (node(r#","size":-1"#), "a whole number"),
        (node(r#","size":1.5"#), "a whole number"),
        (node(r#","size":01"#), "a whole number"),
        (node(r#","size":18446744073709551616"#), "too large"),
        (node(r#","uid":4294967296"#), "too large"),
        (node(r#","mtime":"1970-01-01T00:00:00+0100""#), "not RFC 3339"),
        (node(r#","content":["00"]"#), "64 hex digits"),
        (node(r#","content":"x""#), "'[' is missing"),
        (node(r#","subtree":"zz""#), "64 hex digits"),
        (node(r#","linktarget_raw":"?""#), "base64"),
        (node(r#","later":[1"#), "expected `,` or `]`"),
    ];
    for (text, expected) in cases {
        let error = Tree::decode(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    // Depth is no way to overflow the stack.
    let deep = node(&format!(",\"later\":{}", "[".repeat(1_000_000)));
    assert!(Tree::decode(deep.as_bytes()).is_err());
}

#[test]
fn an_error_of_the_caller_stops_the_reading() {
    #[derive(Debug)]
    enum Stop {
        Bad,
        Enough,
    }
    impl From<BadTree> for Stop {
        fn from(_: BadTree) -> Stop {
            Stop::Bad
        }
    }
    let mut seen = 0;
    let result = decode_each(RESTIC_0_18, &mut |_| {
        seen += 1;
        if seen == 3 { Err(Stop::Enough) } else { Ok(()) }
    });
    assert!(matches!(result, Err(Stop::Enough)));
    assert_eq!(seen, 3);
}

fn any_time() -> impl Strategy<Value = Time> {
    (any::<i64>(), 0..1_000_000_000_u32, -1439..1440_i32).prop_map(|(seconds, nanos, minutes)| {
        Time {
            seconds,
            nanos,
            offset: minutes * 60,
        }
        .storable()
    })
}

fn any_id() -> impl Strategy<Value = Id> {
    any::<[u8; 32]>().prop_map(Id)
}

prop_compose! {
    fn any_node()(
        name in prop::collection::vec(any::<u8>(), 1..20),
        kind in prop::sample::select(vec![NodeType::File, NodeType::Dir, NodeType::Symlink, NodeType::Dev,
            NodeType::CharDev, NodeType::Fifo, NodeType::Socket]),
        (mode, uid, gid) in any::<(u32, u32, u32)>(),
        (mtime, atime, ctime) in (any_time(), any_time(), any_time()),
        (user, group) in ("(?s:.{0,8})", "[a-z]{0,3}"),
        (inode, device_id, size, links, device) in any::<(u64, u64, u64, u64, u64)>(),
        link_target in prop::collection::vec(any::<u8>(), 0..20),
        xattrs in prop::collection::vec(("(?s:.{1,8})", prop::collection::vec(any::<u8>(), 0..9)), 0..3),
        content in prop::option::of(prop::collection::vec(any_id(), 0..3)),
        subtree in prop::option::of(any_id()),
        error in "(?s:.{0,3})",
    ) -> Node {
        Node {
            name, kind, mode, mtime, atime, ctime, uid, gid, user: user.into(), group: group.into(), inode, device_id,
            size, links, link_target, device, content, subtree,
            xattrs: xattrs.into_iter().map(|(name, value)| Xattr { name: name.into_bytes(), value }).collect(),
            extra: (!error.is_empty()).then(|| Box::new(Extra { error, ..Extra::default() })),
        }
    }
}

proptest! {
    #[test]
    fn decoding_inverts_encoding(nodes in prop::collection::vec(any_node(), 0..4)) {
        let tree = Tree { nodes };
        let bytes = tree.encode();
        prop_assert_eq!(&Tree::decode(&bytes).unwrap(), &tree);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
    }

    #[test]
    fn damaged_trees_never_panic(at in 0..RESTIC_0_18.len(), bytes in prop::collection::vec(any::<u8>(), 0..4), cut: bool) {
        let mut tree = RESTIC_0_18.to_vec();
        let end = (at + bytes.len()).min(tree.len());
        tree.splice(at..end, bytes);
        if cut {
            tree.truncate(at);
        }
        if let Ok(tree) = Tree::decode(&tree) {
            prop_assert_eq!(Tree::decode(&tree.encode()), Ok(tree));
        }
    }
}
