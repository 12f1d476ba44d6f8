//! Templates: what is printed is read as the same template, and values go in where the names stand.

use signet::capability::variables::{Template, check_name};

/// Reads the text as a template.
pub fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(template) = Template::parse(&text) else {
        assert!(text.contains("{{"), "{text} names nothing and is refused");
        return;
    };
    assert_eq!(
        Template::parse(&template.to_string()).as_ref(),
        Ok(&template)
    );
    assert!(template.names().all(|name| check_name(name).is_ok()));
    assert_eq!(template.is_literal(), !text.contains("{{"));
    let unchanged = template.resolve(|name| Some(format!("{{{{ {name} }}}}")));
    assert_eq!(unchanged, Ok(template.to_string()));
    let first = template.names().next();
    assert_eq!(template.resolve(|_| None::<&str>).err(), first);
}
