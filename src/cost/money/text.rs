//! Money as people write and read it.

use std::fmt;
use std::str::FromStr;

use super::{Currency, Money};

/// Billionths in a unit.
const UNIT: u128 = 1_000_000_000;

/// The signs that stand for one currency each. The yen's and the yuan's are told apart by a letter.
const SIGNS: [(&str, Currency); 5] = [
    ("$", Currency::USD),
    ("€", Currency::EUR),
    ("£", Currency(*b"GBP")),
    ("CN¥", Currency(*b"CNY")),
    ("JP¥", Currency(*b"JPY")),
];

/// Why a text is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Nothing says of which currency.
    #[error("{0:?} names no currency: write 10 USD, $10 or €10")]
    NoCurrency(String),
    /// There is no such number.
    #[error("{0:?} is no amount: write a number with a point and at most nine digits behind it, such as 12.50 USD")]
    NoNumber(String),
    /// A budget or a price is not below nothing.
    #[error("{0:?} is less than nothing")]
    Negative(String),
}

impl fmt::Display for Money {
    /// To the cent (`$1,234.50`), below a cent to two significant digits (`$0.00042`); halves go to the even digit. A currency
    /// without a sign of its own is named by its code: `12.30 CHF`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.nanos.unsigned_abs();
        let places = match amount {
            0 => 2,
            n if n >= UNIT / 100 => 2,
            // Nine digits behind the point; the first two that are not zero.
            n => (10 - n.to_string().len() as u32 + 1).min(9),
        };
        let step = 10u128.pow(9 - places);
        let (quotient, rest) = (amount / step, amount % step);
        let up = rest * 2 > step || (rest * 2 == step && quotient % 2 == 1);
        write_amount(f, *self, (quotient + u128::from(up)) * step, 2)
    }
}

impl Money {
    /// With every digit it has, two behind the point at least: `$0.0125`, for rates.
    pub fn exactly(self) -> String {
        struct Exactly(Money);
        impl fmt::Display for Exactly {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_amount(f, self.0, self.0.nanos.unsigned_abs(), 2)
            }
        }
        Exactly(self).to_string()
    }
}

/// Writes `amount` (billionths, its sign aside) with at least so many digits behind the point.
fn write_amount(f: &mut fmt::Formatter<'_>, money: Money, amount: u128, least: usize) -> fmt::Result {
    let units = u64::try_from(amount / UNIT).unwrap_or(u64::MAX);
    let behind = format!("{:09}", amount % UNIT);
    let behind = behind.trim_end_matches('0');
    let minus = if money.nanos < 0 && amount > 0 { "-" } else { "" };
    let number = format!("{}.{behind:0<least$}", crate::text::count(units));
    match SIGNS.iter().find(|(_, currency)| *currency == money.currency) {
        Some((sign, _)) => f.pad(&format!("{minus}{sign}{number}")),
        None => f.pad(&format!("{minus}{number} {}", money.currency)),
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// `10 USD`, `USD 10`, `$10`, `10€`: a number and a currency's code or sign, in either order.
    fn from_str(text: &str) -> Result<Money, MoneyError> {
        let whole = text.trim();
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '_');
        let start = whole.find(is_number).ok_or_else(|| MoneyError::NoNumber(text.into()))?;
        let end = whole.rfind(is_number).map_or(start, |at| at + 1);
        let (before, number, behind) = (whole[..start].trim(), &whole[start..end], whole[end..].trim());
        let named = match (before, behind) {
            ("", "") => return Err(MoneyError::NoCurrency(text.into())),
            (name, "") | ("", name) => name,
            _ => return Err(MoneyError::NoNumber(text.into())),
        };
        let by_sign = SIGNS
            .iter()
            .find(|(sign, _)| *sign == named)
            .map(|(_, currency)| *currency);
        let currency = by_sign
            .or_else(|| Currency::parse(named))
            .ok_or_else(|| MoneyError::NoCurrency(text.into()))?;
        if number.starts_with('-') {
            return Err(MoneyError::Negative(text.into()));
        }
        let nanos = decimal(number).ok_or_else(|| MoneyError::NoNumber(text.into()))?;
        Ok(Money { nanos, currency })
    }
}

/// A number without sign, with a point or without, in billionths; exact, so not more than nine digits behind the point.
/// `None` for anything else: a comma may mean either thing.
pub fn decimal(text: &str) -> Option<i128> {
    let (units, behind) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let behind = behind.trim_end_matches('0');
    if units.is_empty() || units.len() > 18 || behind.len() > 9 || !digits(units) || !digits(behind) {
        return None;
    }
    format!("{units}{behind:0<9}").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(nanos: i128, code: &str) -> String {
        let currency = Currency::parse(code).unwrap();
        Money { nanos, currency }.to_string()
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(shown(0, "usd"), "$0.00");
        assert_eq!(shown(1_234_567_891_000, "USD"), "$1,234.57");
        assert_eq!(shown(-1_230_000_000, "EUR"), "-€1.23");
        assert_eq!(shown(12_300_000_000, "CHF"), "12.30 CHF");
        assert_eq!(shown(10_000_000, "USD"), "$0.01");
        assert_eq!(shown(4_000_000, "EUR"), "€0.004");
        assert_eq!(shown(424_000, "USD"), "$0.00042");
        assert_eq!(shown(9_960_000, "USD"), "$0.01");
        assert_eq!(shown(1, "USD"), "$0.000000001");
        // Halves to the even digit, for a cent and below one.
        assert_eq!(shown(125_000_000, "USD"), "$0.12");
        assert_eq!(shown(135_000_000, "USD"), "$0.14");
        assert_eq!(shown(2_450_000, "USD"), "$0.0024");
    }

    #[test]
    fn rates_keep_their_digits() {
        let rate = |nanos| {
            Money {
                nanos,
                currency: Currency::USD,
            }
            .exactly()
        };
        assert_eq!(rate(23_000_000), "$0.023");
        assert_eq!(rate(990_000), "$0.00099");
        assert_eq!(rate(6_490_000_000), "$6.49");
        assert_eq!(rate(4_500_000_000), "$4.50");
    }

    #[test]
    fn amounts_are_read_in_either_order() {
        let usd = |nanos| {
            Ok(Money {
                nanos,
                currency: Currency::USD,
            })
        };
        for text in ["10 USD", "10usd", "USD 10", "$10", "$ 10.00", "10$", " 10.0 USD "] {
            assert_eq!(text.parse::<Money>(), usd(10_000_000_000), "{text}");
        }
        assert_eq!("€0.5".parse::<Money>().unwrap().to_string(), "€0.50");
        assert_eq!("CN¥3".parse::<Money>().unwrap().currency.code(), "CNY");
        let refused = |text: &str| text.parse::<Money>().unwrap_err().to_string();
        insta::assert_snapshot!(refused("10"), @r#""10" names no currency: write 10 USD, $10 or €10"#);
        insta::assert_snapshot!(refused("10 quid"), @r#""10 quid" names no currency: write 10 USD, $10 or €10"#);
        insta::assert_snapshot!(refused("1,5 EUR"), @r#""1,5 EUR" is no amount: write a number with a point and at most nine digits behind it, such as 12.50 USD"#);
        insta::assert_snapshot!(refused("-5 EUR"), @r#""-5 EUR" is less than nothing"#);
        insta::assert_snapshot!(refused("$"), @r#""$" is no amount: write a number with a point and at most nine digits behind it, such as 12.50 USD"#);
        insta::assert_snapshot!(refused("$5 USD"), @r#""$5 USD" is no amount: write a number with a point and at most nine digits behind it, such as 12.50 USD"#);
    }

    #[test]
    fn parts_are_exact_and_round_halves_to_even() {
        let usd = |nanos| Money {
            nanos,
            currency: Currency::USD,
        };
        assert_eq!(usd(10).part(1, 4), usd(2));
        assert_eq!(usd(14).part(1, 4), usd(4));
        assert_eq!(usd(-14).part(1, 4), usd(-4));
        assert_eq!(usd(7).part(3, 7), usd(3));
        assert_eq!(usd(7).part(3, 0), usd(0));
        assert_eq!(usd(i128::MAX).times(3), usd(i128::MAX));
        // A year's worth of 2^64 bytes at a thousand dollars a GiB is still exact.
        assert_eq!(
            usd(1_000_000_000_000).part(1 << 64, 1 << 30).times(12),
            usd(12_000_000_000_000 << 34)
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_exactly_is_read_back(nanos in 0i128..10_000_000_000_000, code in "(USD|EUR|GBP|CNY|JPY|CHF)") {
            let money = Money { nanos, currency: Currency::parse(&code).unwrap() };
            prop_assert_eq!(money.exactly().replace(',', "").parse(), Ok(money));
        }

        #[test]
        fn what_is_shown_is_near(nanos in 0i128..10_000_000_000_000) {
            let money = Money { nanos, currency: Currency::USD };
            let shown: Money = money.to_string().replace(',', "").parse().unwrap();
            let off = (shown.nanos - nanos).abs();
            // Half a cent, or below a cent half of the second digit.
            let near = if nanos < 10_000_000 { off * 20 <= nanos } else { off <= 5_000_000 };
            prop_assert!(near, "{money} for {nanos}");
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,16}") {
            if let Ok(money) = text.parse::<Money>() {
                prop_assert!(money.nanos >= 0);
            }
        }
    }
}
