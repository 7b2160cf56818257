//! Waits of a fixed length: a test that sleeps is slow on a fast machine, and fails on a slow one.

use crate::lexer::{Kind, Token};

/// Functions that wait for a time to pass.
const WAITS: [&str; 4] = ["sleep", "sleep_until", "park_timeout", "recv_timeout"];

/// The waits in the code of tests.
pub(crate) fn waits(file: &str, code: &[Token<'_>]) -> Vec<String> {
    let calls = code.windows(2).filter(|pair| pair[0].kind == Kind::Word && pair[1].is_mark("("));
    let waits = calls.filter(|pair| WAITS.contains(&pair[0].text));
    waits.map(|pair| format!("{file}:{}: {}", pair[0].line, pair[0].text)).collect()
}

/// The tests that do not run.
pub(crate) fn ignored(file: &str, code: &[Token<'_>]) -> Vec<String> {
    let attributes = code.windows(3).filter(|three| three[0].is_mark("#") && three[1].is_mark("["));
    let ignored = attributes.filter(|three| three[2].is_word("ignore"));
    ignored.map(|three| format!("{file}:{}: ignored", three[0].line)).collect()
}

#[cfg(test)]
mod tests {
    use super::{ignored, waits};
    use crate::lexer::tokens;

    #[test]
    fn waits_are_calls_and_nothing_else() {
        let code = tokens(
            "use std::thread::sleep;\nfn f() { thread::sleep(a); no_sleep(b); \"sleep(\"; receiver.recv_timeout(c) }",
        );
        assert_eq!(waits("f", &code), ["f:2: sleep", "f:2: recv_timeout"]);
    }

    #[test]
    fn ignored_tests_are_found() {
        let code = tokens("#[test]\n#[ignore = \"slow\"]\nfn f() {} // #[ignore]");
        assert_eq!(ignored("f", &code), ["f:2: ignored"]);
    }
}
