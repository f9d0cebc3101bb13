use super::*;

#[test]
fn marks_that_change_how_text_is_laid_out_are_no_part_of_a_name() {
    for mark in ['\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}', '\u{2028}', '\u{2029}', '\u{85}'] {
        assert!(PersonName::parse(&format!("Ada{mark}ecalevoL")).is_err(), "{mark:?}");
        assert!(Label::parse(&format!("Cut{mark}")).is_err() || mark.is_whitespace(), "{mark:?}");
        assert!(Reason::parse(&format!("a{mark}b")).is_err(), "{mark:?}");
    }
    for name in ["Ada Lovelace", "\u{5d3}\u{5d5}\u{5d3}", "Zo\u{eb}", "\u{645}\u{631}\u{64a}\u{645}"] {
        assert!(PersonName::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn an_address_is_one_that_needs_no_quoting() {
    for good in ["ada@example.org", "a.b+c@sub.example.co.uk", "O'Neil@EXAMPLE.org", " x@y.de "] {
        assert!(EmailAddress::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "@",
        "a@",
        "@b.de",
        "a@b",
        "a b@c.de",
        "a@b..de",
        ".a@b.de",
        "a..b@c.de",
        "a@-b.de",
        "a@b.de\r\nBcc: x@y.z",
        "\"a\"@b.de",
        "a@b@c.de",
        "a@b_c.de",
        "ä@b.de",
    ] {
        assert!(EmailAddress::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(EmailAddress::parse("Ada@EXAMPLE.Org").unwrap().as_str(), "Ada@example.org");
    let international = EmailAddress::parse("max@M\u{FC}ller.example").unwrap();
    assert_eq!(international.as_str(), "max@xn--mller-kva.example");
    assert!(EmailAddress::parse(&format!("{}@b.de", "a".repeat(65))).is_err());
}

#[test]
fn names_phones_and_notes_hold_no_surprises() {
    assert_eq!(PersonName::parse("  Zoë Łukasz ").unwrap().as_str(), "Zoë Łukasz");
    assert!(PersonName::parse("   ").is_err());
    for hidden in ["\u{200B}", "\u{2060}\u{FEFF}", "\u{200D}", "\u{3164}", "Ada\u{202E}", "A\u{2028}da"] {
        assert!(PersonName::parse(hidden).is_err(), "{hidden:?}");
    }
    assert_eq!(PersonName::parse("Mu\u{308}ller").unwrap().as_str(), "M\u{FC}ller");
    assert!(PersonName::parse("\u{0646}\u{200C}\u{0645}").is_ok(), "joiners between letters");
    assert!(PersonName::parse("a\nb").is_err());
    for (text, code) in [
        ("\u{200b}\u{2060}", "invisible_character"),
        ("\u{3164}", "empty"),
        ("WIN https://evil.example/x", "link"),
        ("javascript://x", "link"),
        ("go WWW.evil.example", "link"),
        ("evil.example/win 500 EUR", "link"),
        ("Ada \u{202e}niW", "invisible_character"),
    ] {
        assert_eq!(PersonName::parse(text).unwrap_err().code, code, "{text}");
    }
    for name in ["Anna/Ben Müller", "Dr. J.R.R. Tolkien", "7of9", "李小龍", "a/b.c"] {
        assert!(PersonName::parse(name).is_ok(), "{name}");
    }
    assert!(PersonName::parse(&"x".repeat(201)).is_err());
    assert!(Phone::parse("+49 (30) 123-45/6").is_ok());
    assert!(Phone::parse("call me").is_err());
    assert!(Phone::parse("++").is_err());
    assert!(Note::parse("two\nlines").is_ok());
    assert!(Note::parse("bell\u{7}").is_err());
}

#[test]
fn what_people_write_does_not_reach_logs() {
    assert_eq!(format!("{:?}", EmailAddress::parse("ada@example.org").unwrap()), "EmailAddress(…)");
}
