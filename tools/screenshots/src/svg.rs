//! Cells as SVG: backgrounds as rectangles, boxes and blocks as shapes, everything else as text on the grid.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The pinned font.
pub const FONT: &str = "DejaVu Sans Mono";
const FONT_SIZE: f32 = 14.4;
/// A cell, in units of the drawing: whole pixels at the scale of the pictures, so that neighbours meet without a seam.
const WIDTH: f32 = 26.0 / 3.0;
const HEIGHT: f32 = 18.0;
/// Where the text's baseline lies in a cell.
const BASE: f32 = 13.5;
/// Room around the screen.
const MARGIN: f32 = 14.0;

type Rgb = (u8, u8, u8);

const BACKGROUND: Rgb = (0x16, 0x1a, 0x21);
const FOREGROUND: Rgb = (0xd8, 0xde, 0xe9);

/// The sixteen colours as a calm dark scheme has them.
const SIXTEEN: [Rgb; 16] = [
    (0x2b, 0x31, 0x3c),
    (0xe0, 0x6c, 0x75),
    (0x98, 0xc3, 0x79),
    (0xe5, 0xc0, 0x7b),
    (0x61, 0xaf, 0xef),
    (0xc6, 0x78, 0xdd),
    (0x56, 0xb6, 0xc2),
    (0xab, 0xb2, 0xbf),
    (0x6b, 0x74, 0x85),
    (0xf0, 0x8d, 0x8d),
    (0xb5, 0xd9, 0x98),
    (0xf2, 0xd4, 0x9b),
    (0x8c, 0xc5, 0xf7),
    (0xd8, 0x9b, 0xe9),
    (0x80, 0xd0, 0xda),
    (0xf2, 0xf5, 0xfa),
];

fn palette(colour: Color, default: Rgb) -> Rgb {
    let n = match colour {
        Color::Reset => return default,
        Color::Rgb(r, g, b) => return (r, g, b),
        Color::Indexed(n) => n,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    match n {
        0..16 => SIXTEEN[usize::from(n)],
        16..232 => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let n = n - 16;
            (level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        _ => {
            let grey = 8 + 10 * (n - 232);
            (grey, grey, grey)
        }
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
        backgrounds(&mut out, buffer, y);
        line(&mut out, buffer, y);
    }
    out.push_str("</svg>\n");
    out
}

/// The backgrounds of a row, cells of one colour in one piece.
fn backgrounds(out: &mut String, buffer: &Buffer, y: u16) {
    let columns = buffer.area.width;
    let mut x = 0;
    while x < columns {
        let start = x;
        let (_, bg) = colours(&buffer[(x, y)]);
        // The hidden half of a wide character belongs to what is before it.
        while x < columns && (colours(&buffer[(x, y)]).1 == bg || buffer[(x, y)].modifier.contains(Modifier::HIDDEN)) {
            x += 1;
        }
        if bg != BACKGROUND {
            rect(out, start, y, (0.0, 0.0, f32::from(x - start), 1.0), bg, 1.0);
        }
    }
}

/// Part of a cell as a rectangle: left, top, right, bottom of 0 to 1.
fn rect(out: &mut String, x: u16, y: u16, part: (f32, f32, f32, f32), fill: Rgb, opacity: f32) {
    let (left, top) = (MARGIN + f32::from(x) * WIDTH, MARGIN + f32::from(y) * HEIGHT);
    let opacity = if opacity < 1.0 {
        format!(" fill-opacity=\"{opacity}\"")
    } else {
        String::new()
    };
    _ = writeln!(
        out,
        "<rect x=\"{:.3}\" y=\"{:.3}\" width=\"{:.3}\" height=\"{:.3}\" fill=\"{}\"{opacity}/>",
        left + part.0 * WIDTH,
        top + part.1 * HEIGHT,
        (part.2 - part.0) * WIDTH,
        (part.3 - part.1) * HEIGHT,
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
            rect(out, x, y, (0.0, 0.92, 1.0, 0.96), colours(cell).0, 1.0);
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
    let mut chars = symbol.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else {
        return false;
    };
    let code = u32::from(c);
    match code {
        // Rounded corners.
        0x256d..=0x2570 => corner(out, symbol, x, y, fg),
        0x2500..=0x257f => return lines(out, c, x, y, fg),
        0x2580..=0x259f => block(out, code, x, y, fg),
        0x2800..=0x28ff => braille(out, code, x, y, fg),
        // A filled square, as calendars use it.
        0x25a0 => rect(out, x, y, (0.08, 0.28, 0.92, 0.72), fg, 1.0),
        _ => return false,
    }
    true
}

/// A line or a meeting of lines.
fn lines(out: &mut String, c: char, x: u16, y: u16, fg: Rgb) -> bool {
    // Left, up, right, down: 0 none, 1 light, 2 heavy.
    let arms: [u8; 4] = match c {
        '─' => [1, 0, 1, 0],
        '━' => [2, 0, 2, 0],
        '│' => [0, 1, 0, 1],
        '┃' => [0, 2, 0, 2],
        '┌' => [0, 0, 1, 1],
        '┐' => [1, 0, 0, 1],
        '└' => [0, 1, 1, 0],
        '┘' => [1, 1, 0, 0],
        '├' => [0, 1, 1, 1],
        '┤' => [1, 1, 0, 1],
        '┬' => [1, 0, 1, 1],
        '┴' => [1, 1, 1, 0],
        '┼' => [1, 1, 1, 1],
        '┯' => [2, 0, 2, 1],
        '┷' => [2, 1, 2, 0],
        '╴' => [1, 0, 0, 0],
        '╵' => [0, 1, 0, 0],
        '╶' => [0, 0, 1, 0],
        '╷' => [0, 0, 0, 1],
        _ => return false,
    };
    // Half a line's thickness, in parts of a cell's height and of its width.
    let half = |arm: u8| if arm == 2 { 0.07 } else { 0.035 };
    let wide = |arm: u8| half(arm) * HEIGHT / WIDTH;
    let [left, up, right, down] = arms;
    let mut part = |arm: u8, part| {
        if arm > 0 {
            rect(out, x, y, part, fg, 1.0);
        }
    };
    if left > 0 && left == right {
        part(left, (0.0, 0.5 - half(left), 1.0, 0.5 + half(left)));
    } else {
        part(left, (0.0, 0.5 - half(left), 0.5 + wide(1), 0.5 + half(left)));
        part(right, (0.5 - wide(1), 0.5 - half(right), 1.0, 0.5 + half(right)));
    }
    if up > 0 && up == down {
        part(up, (0.5 - wide(up), 0.0, 0.5 + wide(up), 1.0));
    } else {
        part(up, (0.5 - wide(up), 0.0, 0.5 + wide(up), 0.5));
        part(down, (0.5 - wide(down), 0.5, 0.5 + wide(down), 1.0));
    }
    true
}

/// Blocks: eighths, halves, shades and quarters.
fn block(out: &mut String, code: u32, x: u16, y: u16, fg: Rgb) {
    let eighths = |n: u32| n as f32 / 8.0;
    let part = match code {
        0x2580 => (0.0, 0.0, 1.0, 0.5),
        0x2581..=0x2588 => (0.0, 1.0 - eighths(code - 0x2580), 1.0, 1.0),
        0x2589..=0x258f => (0.0, 0.0, eighths(0x2590 - code), 1.0),
        0x2590 => (0.5, 0.0, 1.0, 1.0),
        0x2594 => (0.0, 0.0, 1.0, 0.125),
        0x2595 => (0.875, 0.0, 1.0, 1.0),
        0x2591..=0x2593 => {
            let opacity = (code - 0x2590) as f32 / 4.0;
            return rect(out, x, y, (0.0, 0.0, 1.0, 1.0), fg, opacity);
        }
        _ => {
            // Upper left, upper right, lower left, lower right.
            const QUARTERS: [u8; 10] = [
                0b0010, 0b0001, 0b1000, 0b1011, 0b1001, 0b1110, 0b1101, 0b0100, 0b0110, 0b0111,
            ];
            let bits = QUARTERS.get((code - 0x2596) as usize).copied().unwrap_or(0);
            for (n, (left, top)) in [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)].into_iter().enumerate() {
                if bits & (0b1000 >> n) != 0 {
                    rect(out, x, y, (left, top, left + 0.5, top + 0.5), fg, 1.0);
                }
            }
            return;
        }
    };
    rect(out, x, y, part, fg, 1.0);
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

fn braille(out: &mut String, code: u32, x: u16, y: u16, fg: Rgb) {
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
    for (n, (dx, dy)) in DOTS.into_iter().enumerate() {
        if code & (1 << n) == 0 {
            continue;
        }
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
}
