//! Draws the interface into `screenshots/`, as SVG and PNG, from the very cells a terminal would get.
//!
//! `cargo run --manifest-path tools/screenshots/Cargo.toml` from the package's folder. The world is the made-up one of the
//! tests, the font is pinned, blocks and boxes are drawn as shapes: two runs give the same bytes.

#[path = "../../../src/tui/stage/mod.rs"]
mod stage;
mod svg;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use coffer::engine::{JobKind, JobState};
use coffer::tui::theme::Look;
use resvg::{tiny_skia, usvg};
use stage::Stage;

/// Pixels a unit of the drawing.
const SCALE: f32 = 1.5;

/// A picture: its name, its size in cells, and what is done before it is taken.
type Scene = (&'static str, (u16, u16), fn(&mut Stage));

const SCENES: &[Scene] = &[
    ("overview", (120, 40), |s| s.keys("1 j")),
    ("vaults", (120, 40), |s| {
        s.keys("2 Enter j j j");
        s.wait(1000);
    }),
    ("files", (120, 40), |s| {
        s.keys("2 Enter j j j j j j j j Enter G k Tab");
        s.wait(1000);
    }),
    ("versions", (120, 40), |s| s.keys("2 Enter Enter G k V j j")),
    ("search", (120, 40), |s| {
        s.keys("4");
        s.text("notes");
        s.keys("Enter j j");
        s.wait(1000);
    }),
    ("restore", (120, 40), |s| {
        s.keys("2 Enter j j j j j j j j Enter j Space G Space r");
        s.wait(1000);
    }),
    ("jobs", (120, 40), |s| {
        s.keys("2 Enter Enter");
        let first = s.start_job(JobKind::Backup, "Back up everything to home");
        s.wait(74_000);
        s.end_job(
            &first,
            JobState::Done {
                summary: "311 new, 12 changed of 78,579 files, 4.4 MiB added; generation 6e340b9c".into(),
                problems: 0,
            },
        );
        s.wait(420_000);
        let second = s.start_job(JobKind::Restore, "Restore photos/ to /home/anna/restored");
        s.wait(9_000);
        s.end_job(
            &second,
            JobState::Done {
                summary: "41 files written (3.3 MiB), 0 right already".into(),
                problems: 2,
            },
        );
        s.wait(1_260_000);
        let third = s.start_job(JobKind::Backup, "Back up documents to away");
        for percent in [12, 19, 31, 40, 47, 52, 61] {
            s.progress(&third, percent);
        }
        s.keys("J");
    }),
    ("snapshots", (120, 40), |s| s.keys("5 j j Enter j j m j j j m k")),
    ("rollback", (120, 40), |s| s.keys("5 j j Enter G k k k r")),
    ("cost", (120, 40), |s| s.keys("6 ← ← ← ←")),
    ("cost-lost", (120, 40), |s| s.keys("6 ← ← ← ← t Shift-Tab j j")),
    ("palette", (120, 40), |s| {
        s.keys("2 Enter :");
        s.text("res");
    }),
    ("small-files", (80, 24), |s| {
        s.keys("2 Enter j j j j j j j j Enter j Space j j Space")
    }),
    ("small-overview", (80, 24), |s| s.keys("1 j")),
    ("small-snapshots", (80, 24), |s| s.keys("5 j j Enter G k k")),
    ("small-cost", (80, 24), |s| s.keys("6 ← ← ← ←")),
    ("small-cost-figures", (80, 24), |s| s.keys("6 ← ← ← ← Tab")),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = folder.join("../../screenshots");
    std::fs::create_dir_all(&out)?;
    let mut fonts = usvg::fontdb::Database::new();
    for name in ["DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"] {
        fonts.load_font_data(std::fs::read(folder.join("font").join(name))?);
    }
    let options = usvg::Options {
        fontdb: Arc::new(fonts),
        font_family: svg::FONT.into(),
        ..usvg::Options::default()
    };
    for (name, (columns, rows), play) in SCENES {
        let mut stage = Stage::new(*columns, *rows, Look::default());
        play(&mut stage);
        let text = svg::draw(&stage.buffer());
        std::fs::write(out.join(format!("{name}.svg")), &text)?;
        let tree = usvg::Tree::from_str(&text, &options)?;
        let size = tree.size();
        let (width, height) = ((size.width() * SCALE) as u32, (size.height() * SCALE) as u32);
        let mut picture = tiny_skia::Pixmap::new(width, height).ok_or("no room for the picture")?;
        resvg::render(
            &tree,
            tiny_skia::Transform::from_scale(SCALE, SCALE),
            &mut picture.as_mut(),
        );
        picture.save_png(out.join(format!("{name}.png")))?;
        println!("{name}");
    }
    Ok(())
}
