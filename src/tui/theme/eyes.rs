//! Tests only: what a colour looks like to eyes, those included that see fewer.

use super::depth::{Depth, Rgb};
use super::palette::{DARK, LIGHT, Palette, SAFE_DARK, SAFE_LIGHT};
use super::role::{HEATS, Role, SERIES};

/// The light of a colour's channels, 0 to 1 each (sRGB, IEC 61966-2-1).
fn linear(colour: Rgb) -> [f64; 3] {
    [colour.0, colour.1, colour.2].map(|channel| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn luminance(colour: Rgb) -> f64 {
    let [r, g, b] = linear(colour);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The contrast of two colours, 1 to 21, as WCAG 2 defines it.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Eyes without one kind of cone: matrices on linear light (Machado, Oliveira and Fernandes 2009, severity 1).
const EYES: [(&str, [[f64; 3]; 3]); 4] = [
    ("usual", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

/// A colour in CIE L*a*b* (D65) as these eyes see it.
fn lab(colour: Rgb, eyes: &[[f64; 3]; 3]) -> [f64; 3] {
    let light = linear(colour);
    let [r, g, b] = eyes.map(|row| row.iter().zip(light).map(|(m, l)| m * l).sum::<f64>().clamp(0.0, 1.0));
    let x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047;
    let y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b;
    let z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883;
    let f = |t: f64| {
        if t > 0.008856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    let (x, y, z) = (f(x), f(y), f(z));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// How different two colours look to these eyes (CIE76); about 2.3 can just be seen side by side.
fn difference(a: Rgb, b: Rgb, eyes: &[[f64; 3]; 3]) -> f64 {
    let (a, b) = (lab(a, eyes), lab(b, eyes));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// Black, and the lightest of the dark backgrounds in wide use (Nord).
const DARK_BEHIND: [Rgb; 2] = [Rgb::hex(0x000000), Rgb::hex(0x2e3440)];
/// A grey paper, and white.
const LIGHT_BEHIND: [Rgb; 2] = [Rgb::hex(0xeeeeee), Rgb::hex(0xffffff)];

/// The palettes, with the backgrounds they are held against.
const PALETTES: [(&str, Palette, [Rgb; 2]); 4] = [
    ("dark", DARK, DARK_BEHIND),
    ("light", LIGHT, LIGHT_BEHIND),
    ("safe dark", SAFE_DARK, DARK_BEHIND),
    ("safe light", SAFE_LIGHT, LIGHT_BEHIND),
];

/// A colour as it is shown: itself, or its nearest among the 256.
fn shown(colour: Rgb, depth: Depth) -> Rgb {
    match depth {
        Depth::Many => Rgb::indexed(colour.nearest()),
        _ => colour,
    }
}

/// The contrast a role must have on its background: text 4.5, what frames or is drawn large 3, as WCAG 2 asks for; what is
/// off or empty 2.
fn wanted(role: Role) -> f64 {
    match role {
        Role::Border | Role::Heat(2..) | Role::Series(_) => 3.0,
        Role::Disabled | Role::Heat(_) => 2.5,
        _ => 4.5,
    }
}

#[test]
fn every_role_can_be_read() {
    let mut bad = Vec::new();
    for (name, palette, backgrounds) in PALETTES {
        for depth in [Depth::True, Depth::Many] {
            for role in Role::all() {
                let (text, background, _) = palette.paint(role);
                let Some(text) = text else { continue };
                for behind in background.map_or_else(|| backgrounds.to_vec(), |own| vec![own]) {
                    let behind = if background.is_some() {
                        shown(behind, depth)
                    } else {
                        behind
                    };
                    let is = contrast(shown(text, depth), behind);
                    if is < wanted(role) {
                        bad.push(format!("{name} {depth:?} {role:?}: {is:.2} < {}", wanted(role)));
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
}

#[test]
fn the_cursor_stands_out() {
    for (name, palette, backgrounds) in PALETTES {
        for role in [Role::Cursor, Role::CursorAway, Role::Field] {
            let (_, own, _) = palette.paint(role);
            for behind in backgrounds {
                let is = own.map_or(0.0, |own| contrast(own, behind));
                let wanted = if role == Role::Cursor { 1.8 } else { 1.1 };
                assert!(is >= wanted, "{name}: {role:?} {is:.2} on {behind:?}");
            }
        }
    }
}

#[test]
fn colour_blind_eyes_tell_states_apart() {
    let groups: [Vec<Role>; 4] = [
        vec![Role::Good, Role::Warning, Role::Danger, Role::Dim],
        vec![
            Role::LaneFull,
            Role::LaneFailed,
            Role::LaneLeaving,
            Role::LaneIncremental,
        ],
        vec![Role::ClassHot, Role::ClassCool, Role::ClassCold, Role::ClassArchive],
        (0..SERIES).map(Role::Series).collect(),
    ];
    let mut bad = Vec::new();
    for (name, palette) in [("safe dark", SAFE_DARK), ("safe light", SAFE_LIGHT)] {
        for depth in [Depth::True, Depth::Many] {
            for (eyes, matrix) in &EYES {
                for group in &groups {
                    let colours: Vec<_> = group.iter().filter_map(|role| palette.paint(*role).0).collect();
                    for (n, a) in colours.iter().enumerate() {
                        for (m, b) in colours.iter().enumerate().skip(n + 1) {
                            let is = difference(shown(*a, depth), shown(*b, depth), matrix);
                            if is < 15.0 {
                                bad.push(format!(
                                    "{name} {depth:?}, {eyes}: {:?} and {:?}: {is:.1}",
                                    group[n], group[m]
                                ));
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
}

#[test]
fn heat_rises_in_even_steps() {
    for (name, palette, _) in PALETTES {
        let light: Vec<f64> = (0..HEATS)
            .filter_map(|step| palette.paint(Role::Heat(step)).0)
            .skip(1)
            .map(luminance)
            .collect();
        assert!(
            light.is_sorted_by(|a, b| a < b) || light.is_sorted_by(|a, b| a > b),
            "{name}: {light:?}"
        );
    }
}
