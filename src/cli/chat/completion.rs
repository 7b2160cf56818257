//! Completion of commands and names.

/// The completions of the last word before the cursor, each as the whole text before the cursor.
pub(super) fn complete<'a>(before: &str, words: impl Iterator<Item = &'a str>, names: &[String]) -> Vec<String> {
    let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (head, word) = before.split_at(start);
    let fits = |name: &str| {
        name.len() >= word.len() && name.is_char_boundary(word.len()) && {
            name.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        }
    };
    let mut found: Vec<String> = match word.strip_prefix('/') {
        Some(command) if head.is_empty() => {
            words.filter(|known| known.starts_with(command)).map(|known| format!("/{known} ")).collect()
        }
        _ if word.is_empty() => return Vec::new(),
        // At the start of a text a name is addressed.
        _ if head.is_empty() => names.iter().filter(|name| fits(name)).map(|name| format!("{name}: ")).collect(),
        _ => names.iter().filter(|name| fits(name)).map(|name| format!("{head}{name} ")).collect(),
    };
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(before: &str) -> Vec<String> {
        let names = ["messi".to_owned(), "Memphis".to_owned(), "group:fans".to_owned()];
        complete(before, ["msg", "members", "quit"].into_iter(), &names)
    }

    #[test]
    fn commands_and_names_are_completed_where_they_stand() {
        assert_eq!(completed("/q"), ["/quit "]);
        assert_eq!(completed("/m"), ["/members ", "/msg "]);
        assert_eq!(completed("me"), ["Memphis: ", "messi: "]);
        assert_eq!(completed("/msg ME"), ["/msg Memphis ", "/msg messi "]);
        assert_eq!(completed("/to group:f"), ["/to group:fans "]);
        assert!(completed("halo ").is_empty() && completed("é").is_empty() && completed("/zz").is_empty());
    }
}
