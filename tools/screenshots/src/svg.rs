//! Cells as SVG: backgrounds as rectangles, boxes and blocks as shapes, everything else as text on the grid.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The pinned font.
pub const FONT: &str = "DejaVu Sans Mono";
const FONT_SIZE: f32 = 14.0;
/// A cell, in units of the drawing.
const WIDTH: f32 = 8.43;
const HEIGHT: f32 = 18.0;
/// Where the text's baseline lies in a cell.
const BASE: f32 = 13.5;
/// Room around the screen.
const MARGIN: f32 = 14.0;

type Rgb = (u8, u8, u8);

const BACKGROUND: Rgb = (0x16, 0x1a, 0x21);
const FOREGROUND: Rgb = (0xd8, 0xde, 0xe9);

fn palette(colour: Color, default: Rgb) -> Rgb {
    match colour {
        Color::Red => (0xe0, 0x6c, 0x75),
        Color::Green => (0x98, 0xc3, 0x79),
        Color::Yellow => (0xe5, 0xc0, 0x7b),
        Color::Blue => (0x61, 0xaf, 0xef),
        Color::Magenta => (0xc6, 0x78, 0xdd),
        Color::Cyan => (0x56, 0xb6, 0xc2),
        Color::Rgb(r, g, b) => (r, g, b),
        _ => default,
    }
}

/// Text and background of a cell, its attributes applied.
fn colours(cell: &Cell) -> (Rgb, Rgb) {
    let (mut fg, mut bg) = (palette(cell.fg, FOREGROUND), palette(cell.bg, BACKGROUND));
    if cell.modifier.contains(Modifier::DIM) {
        let mix = |a: u8, b: u8| ((u16::from(a) * 58 + u16::from(b) * 42) / 100) as u8;
        fg = (mix(fg.0, bg.0), mix(fg.1, bg.1), mix(fg.2, bg.2));
    }
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut fg, &mut bg);
    }
    (fg, bg)
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The drawing of a screen.
pub fn draw(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let (width, height) = (
        f32::from(columns) * WIDTH + 2.0 * MARGIN,
        f32::from(rows) * HEIGHT + 2.0 * MARGIN,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"'{FONT}', monospace\" font-size=\"{FONT_SIZE}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        hex(BACKGROUND)
    );
    for y in 0..rows {
        for x in 0..columns {
            let cell = &buffer[(x, y)];
            let (_, bg) = colours(cell);
            if bg != BACKGROUND && !cell.modifier.contains(Modifier::HIDDEN) {
                rect(&mut out, x, y, (0.0, 0.0, 1.0, 1.0), bg);
            }
        }
        line(&mut out, buffer, y);
    }
    out.push_str("</svg>\n");
    out
}

/// Part of a cell as a rectangle: left, top, right, bottom of 0 to 1.
fn rect(out: &mut String, x: u16, y: u16, part: (f32, f32, f32, f32), fill: Rgb) {
    let (left, top) = (MARGIN + f32::from(x) * WIDTH, MARGIN + f32::from(y) * HEIGHT);
    _ = writeln!(
        out,
        "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{}\"/>",
        left + part.0 * WIDTH,
        top + part.1 * HEIGHT,
        // A hair over the edge, so that neighbours meet.
        (part.2 - part.0) * WIDTH + 0.1,
        (part.3 - part.1) * HEIGHT + 0.1,
        hex(fill)
    );
}

/// The text of a row: shapes at once, the rest in runs of one style, each character on its own place.
fn line(out: &mut String, buffer: &Buffer, y: u16) {
    let mut run: Option<(Rgb, Modifier, String, Vec<String>)> = None;
    for x in 0..buffer.area.width {
        let cell = &buffer[(x, y)];
        let (fg, _) = colours(cell);
        if cell.modifier.contains(Modifier::UNDERLINED) {
            rect(out, x, y, (0.0, 0.93, 1.0, 0.97), colours(cell).0);
        }
        if cell.modifier.contains(Modifier::HIDDEN) || cell.symbol() == " " || shape(out, cell.symbol(), x, y, fg) {
            flush(out, run.take(), y);
            continue;
        }
        let weight = cell.modifier & Modifier::BOLD;
        if run
            .as_ref()
            .is_some_and(|(colour, w, ..)| *colour != fg || *w != weight)
        {
            flush(out, run.take(), y);
        }
        let (_, _, text, places) = run.get_or_insert_with(|| (fg, weight, String::new(), Vec::new()));
        for c in cell.symbol().chars() {
            match c {
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                '&' => text.push_str("&amp;"),
                c => text.push(c),
            }
        }
        places.push(format!("{:.2}", MARGIN + f32::from(x) * WIDTH));
    }
    flush(out, run, y);
}

fn flush(out: &mut String, run: Option<(Rgb, Modifier, String, Vec<String>)>, y: u16) {
    let Some((fg, weight, text, places)) = run else { return };
    let weight = if weight.is_empty() { "" } else { " font-weight=\"bold\"" };
    let base = MARGIN + f32::from(y) * HEIGHT + BASE;
    _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{base:.2}\" fill=\"{}\"{weight} xml:space=\"preserve\">{text}</text>",
        places.join(" "),
        hex(fg)
    );
}

/// Draws a symbol that is a shape; whether it is one.
fn shape(out: &mut String, symbol: &str, x: u16, y: u16, fg: Rgb) -> bool {
    const THIN: f32 = 0.035;
    const THICK: f32 = 0.07;
    // A line's thickness in parts of a cell's height, and of its width.
    let upright = |thickness: f32| thickness * HEIGHT / WIDTH;
    let parts: &[(f32, f32, f32, f32)] = match symbol {
        "─" => &[(0.0, 0.5 - THIN, 1.0, 0.5 + THIN)],
        "━" => &[(0.0, 0.5 - THICK, 1.0, 0.5 + THICK)],
        "│" => &[(0.5 - upright(THIN), 0.0, 0.5 + upright(THIN), 1.0)],
        "┬" => &[
            (0.0, 0.5 - THIN, 1.0, 0.5 + THIN),
            (0.5 - upright(THIN), 0.5, 0.5 + upright(THIN), 1.0),
        ],
        "█" => &[(0.0, 0.2, 1.0, 0.8)],
        "░" => &[(0.0, 0.45, 1.0, 0.55)],
        "▌" => &[(0.0, 0.0, 0.4, 1.0)],
        "╭" | "╮" | "╰" | "╯" => {
            corner(out, symbol, x, y, fg);
            return true;
        }
        _ => return braille(out, symbol, x, y, fg),
    };
    for part in parts {
        rect(out, x, y, *part, fg);
    }
    true
}

fn corner(out: &mut String, symbol: &str, x: u16, y: u16, fg: Rgb) {
    let (left, top) = (MARGIN + f32::from(x) * WIDTH, MARGIN + f32::from(y) * HEIGHT);
    let (middle, centre) = (left + WIDTH / 2.0, top + HEIGHT / 2.0);
    let (side, end) = match symbol {
        "╭" => (left + WIDTH, top + HEIGHT),
        "╮" => (left, top + HEIGHT),
        "╰" => (left + WIDTH, top),
        _ => (left, top),
    };
    _ = writeln!(
        out,
        "<path d=\"M {side:.2} {centre:.2} Q {middle:.2} {centre:.2} {middle:.2} {end:.2}\" fill=\"none\" \
         stroke=\"{}\" stroke-width=\"1.26\"/>",
        hex(fg)
    );
}

fn braille(out: &mut String, symbol: &str, x: u16, y: u16, fg: Rgb) -> bool {
    const DOTS: [(f32, f32); 8] = [
        (0.3, 0.2),
        (0.3, 0.4),
        (0.3, 0.6),
        (0.7, 0.2),
        (0.7, 0.4),
        (0.7, 0.6),
        (0.3, 0.8),
        (0.7, 0.8),
    ];
    let Some(bits) = symbol
        .chars()
        .next()
        .map(u32::from)
        .filter(|c| (0x2800..0x2900).contains(c))
    else {
        return false;
    };
    for (n, (dx, dy)) in DOTS.iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0) {
        _ = n;
        let (cx, cy) = (
            MARGIN + (f32::from(x) + dx) * WIDTH,
            MARGIN + (f32::from(y) + dy) * HEIGHT,
        );
        _ = writeln!(
            out,
            "<circle cx=\"{cx:.2}\" cy=\"{cy:.2}\" r=\"1.2\" fill=\"{}\"/>",
            hex(fg)
        );
    }
    true
}
