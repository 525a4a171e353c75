//! JSON as CBOR, as far as `CloudWatch`'s answers go: numbers of `Timestamps` are moments, and `"NaN"` is none, which JSON has not.

use serde_json::Value;

const MOMENT: u8 = 0xc1;
const DOUBLE: u8 = 0xfb;

pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, value, false);
    out
}

fn put(out: &mut Vec<u8>, value: &Value, is_moment: bool) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(is) => out.push(if *is { 0xf5 } else { 0xf4 }),
        Value::String(text) if text == "NaN" => put_double(out, f64::NAN),
        Value::String(text) => {
            head(out, 3, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Number(number) => {
            if is_moment {
                out.push(MOMENT);
            }
            match number.as_u64() {
                Some(whole) => head(out, 0, whole),
                None => put_double(out, number.as_f64().unwrap()),
            }
        }
        Value::Array(all) => {
            head(out, 4, all.len() as u64);
            for one in all {
                put(out, one, is_moment);
            }
        }
        Value::Object(all) => {
            head(out, 5, all.len() as u64);
            for (name, one) in all {
                put(out, &Value::String(name.clone()), false);
                put(out, one, name == "Timestamps");
            }
        }
    }
}

fn put_double(out: &mut Vec<u8>, number: f64) {
    out.push(DOUBLE);
    out.extend_from_slice(&number.to_be_bytes());
}

/// The kind of what follows, and how much of it; always in eight bytes.
fn head(out: &mut Vec<u8>, kind: u8, many: u64) {
    out.push((kind << 5) | 0x1b);
    out.extend_from_slice(&many.to_be_bytes());
}
