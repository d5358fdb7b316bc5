//! Invented text and bytes, the same for the same seed.

/// A small generator of numbers (SplitMix64): the same sequence for the same seed, on every machine.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound` (0 when that is 0).
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = self.below(from.len() as u64) as usize;
        from.get(at).copied().unwrap_or_default()
    }

    /// Bytes that no compression makes smaller, behind the first bytes of a JPEG.
    pub(super) fn picture(&mut self, size: usize) -> Vec<u8> {
        let mut out = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00".to_vec();
        while out.len() < size {
            out.extend_from_slice(&self.next().to_le_bytes());
        }
        out
    }

    pub(super) fn sentence(&mut self) -> String {
        let words = 5 + self.below(9);
        let mut text: Vec<&str> = (0..words).map(|_| self.pick(&WORDS)).collect();
        text.insert(1, "the");
        let mut text = text.join(" ");
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text + "."
    }

    pub(super) fn paragraphs(&mut self, count: u64) -> String {
        let mut out = String::new();
        for _ in 0..count {
            for _ in 0..2 + self.below(5) {
                out.push_str(&self.sentence());
                out.push(' ');
            }
            out.push_str("\n\n");
        }
        out
    }

    /// Something that looks like a program.
    pub(super) fn code(&mut self, functions: u64) -> String {
        let mut out = String::from("from shop.core import db, cache, mail\n\n");
        for _ in 0..functions {
            let (verb, noun) = (self.pick(&VERBS), self.pick(&WORDS));
            out.push_str(&format!(
                "\ndef {verb}_{noun}(session, {noun}, limit={}):\n",
                10 * (1 + self.below(20))
            ));
            out.push_str(&format!("    \"\"\"{}\"\"\"\n", self.sentence()));
            for _ in 0..3 + self.below(8) {
                let (a, b) = (self.pick(&WORDS), self.pick(&VERBS));
                out.push_str(&format!("    {a} = session.{b}({noun}, {})\n", self.below(1000)));
            }
            out.push_str(&format!("    return {noun}\n\n"));
        }
        out
    }

    /// Lines of a web server's log, `from` and `to` in seconds since 1970.
    pub(super) fn access_log(&mut self, lines: u64, from: i64, to: i64) -> String {
        let mut out = String::new();
        let step = (to - from).max(1) / lines.max(1) as i64;
        for line in 0..lines as i64 {
            let time = jiff::Timestamp::from_second(from + line * step).unwrap_or_default();
            let path = match self.below(4) {
                0 => "/".to_owned(),
                1 => format!("/product/{}", self.below(400)),
                2 => format!("/static/images/{}.jpg", self.pick(&WORDS)),
                _ => format!("/search?q={}", self.pick(&WORDS)),
            };
            let status = if self.below(40) == 0 { 404 } else { 200 };
            out.push_str(&format!(
                "203.0.113.{} - - [{}] \"GET {path} HTTP/1.1\" {status} {}\n",
                self.below(250),
                time.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                300 + self.below(40_000),
            ));
        }
        out
    }
}

const VERBS: [&str; 12] = [
    "load", "store", "check", "render", "send", "merge", "price", "count", "find", "list", "close", "refund",
];

/// Words for names and sentences.
pub(super) const WORDS: [&str; 64] = [
    "lantern", "harbour", "kettle", "order", "basket", "letter", "window", "invoice", "garden", "copper", "paper",
    "river", "candle", "bridge", "market", "stone", "button", "ribbon", "silver", "basin", "north", "winter", "autumn",
    "delivery", "customer", "parcel", "voucher", "return", "shelf", "colour", "glass", "oak", "linen", "wool",
    "cotton", "brass", "cup", "saucer", "teapot", "bowl", "spoon", "tray", "box", "label", "weight", "supplier",
    "season", "discount", "review", "question", "answer", "picture", "page", "index", "search", "filter", "session",
    "token", "payment", "receipt", "ledger", "stock", "address", "country",
];
