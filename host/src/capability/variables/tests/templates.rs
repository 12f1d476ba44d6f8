//! Templates against a model: parts are drawn, written down, and read again.

use proptest::prelude::*;

use super::{Template, TemplateError};
use crate::capability::variables::check_name;
use crate::cases::cases;

/// Text between names. It opens nothing, not even together with the braces of a name behind it.
fn literal() -> impl Strategy<Value = String> {
    "([a-z é\n]|\\{[a-z]|\\}|\\PC){0,8}".prop_filter("braces open a name", |text| {
        !text.contains("{{") && !text.ends_with('{')
    })
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,3}(_[a-z0-9]{1,3}){0,2}"
}

/// Text, a name, and the space on both sides of it.
fn parts() -> impl Strategy<Value = Vec<(String, String, String, String)>> {
    prop::collection::vec((literal(), "[ \t]{0,2}", name(), "[ \t]{0,2}"), 0..5)
}

/// What each name stands for.
fn value(name: &str) -> String {
    // Values are no templates: braces in them stay.
    format!("<{name} {{{{ a }}}}>")
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn what_was_written_is_read(parts in parts(), last in literal()) {
        let (mut text, mut resolved) = (String::new(), String::new());
        for (literal, before, name, after) in &parts {
            text += &format!("{literal}{{{{{before}{name}{after}}}}}");
            resolved += &format!("{literal}{}", value(name));
        }
        text += &last;
        resolved += &last;
        let template = Template::parse(&text).unwrap();
        let names: Vec<_> = parts.iter().map(|(_, _, name, _)| name.as_str()).collect();
        prop_assert_eq!(template.names().collect::<Vec<_>>(), names);
        prop_assert_eq!(template.is_literal(), parts.is_empty());
        prop_assert_eq!(template.resolve(|name| Some(value(name))), Ok(resolved));
        prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
    }

    #[test]
    fn braces_are_a_name_or_a_mistake(text in "[{} a_A1]{0,16}") {
        let mut rest = text.as_str();
        let mut expected = Ok(0);
        while let Some(at) = rest.find("{{") {
            let opened = &rest[at + 2..];
            let Some(end) = opened.find("}}") else {
                expected = Err("unclosed");
                break;
            };
            if check_name(opened[..end].trim()).is_err() {
                expected = Err("name");
                break;
            }
            expected = expected.map(|names| names + 1);
            rest = &opened[end + 2..];
        }
        let found = match Template::parse(&text) {
            Ok(template) => Ok(template.names().count()),
            Err(TemplateError::Unclosed(_)) => Err("unclosed"),
            Err(TemplateError::Name { .. }) => Err("name"),
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn the_first_name_without_a_value_is_the_error(parts in parts(), from in 0_usize..5) {
        let text: String = parts.iter().map(|(literal, _, name, _)| format!("{literal}{{{{{name}}}}}")).collect();
        let template = Template::parse(&text).unwrap();
        let mut asked = 0;
        let found = template.resolve(|_| {
            asked += 1;
            (asked <= from).then(String::new)
        });
        prop_assert_eq!(found.err(), parts.get(from).map(|(_, _, name, _)| name.as_str()));
    }
}
