//! Fuzz targets: a function for each reader of bytes that others wrote. Each panics if what it promises does not hold.
//! `fuzz/README.md` tells how to run them; the tests here replay what is known to be of interest.

pub use crate::config::fuzzing::configuration;
pub use crate::federation::fuzzing::link_frame;
pub use crate::net::fuzzing::{proxy_header, tls_sniffing};
pub use crate::store::fuzzing::{import_lines, stored_records};
pub use crate::web::fuzzing::handshake;
pub use crate::wire::fuzzing::{codec, parser, websocket};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 10] = [
        ("codec", codec),
        ("configuration", configuration),
        ("handshake", handshake),
        ("import_lines", import_lines),
        ("link_frame", link_frame),
        ("parser", parser),
        ("proxy_header", proxy_header),
        ("stored_records", stored_records),
        ("tls_sniffing", tls_sniffing),
        ("websocket", websocket),
    ];

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
    }

    fn files(folder: &Path) -> BTreeSet<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn every_target_holds_for_its_corpus() {
        for (name, target) in TARGETS {
            let inputs = files(&folder("corpus").join(name));
            assert!(!inputs.is_empty(), "{name} has no corpus");
            for input in inputs {
                let bytes = fs::read(&input).unwrap();
                let held = std::panic::catch_unwind(|| target(&bytes));
                assert!(held.is_ok(), "{}", input.display());
            }
        }
    }

    #[test]
    fn every_target_has_a_program() {
        let programs = files(&folder("fuzz_targets"));
        let expected: BTreeSet<_> =
            TARGETS.iter().map(|(name, _)| folder("fuzz_targets").join(format!("{name}.rs"))).collect();
        assert_eq!(programs, expected);
        let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
        for (name, _) in TARGETS {
            let program = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).unwrap();
            assert!(program.contains(&format!("kabar::fuzzing::{name}(")), "{name}");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }
}
