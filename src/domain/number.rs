//! Numbers as people read them.

/// With thousands separators: "1,204".
#[must_use]
pub fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn separates() {
        let table = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (88_120, "88,120"),
            (10_000_000, "10,000,000"),
            (-1_204, "-1,204"),
        ];
        for (n, text) in table {
            assert_eq!(thousands(n), text);
        }
    }
}
