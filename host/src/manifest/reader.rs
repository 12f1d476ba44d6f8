//! Reads TOML with places: tables and values that know where they stand, and a list of mistakes that
//! every reader adds to instead of stopping. Comes in: text; goes out: values, or mistakes in the order
//! of the text. Never knows what a key means.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, Mistakes};
use super::spelling;

/// A text that is being read, and what is wrong with it so far.
pub(super) struct Source<'t> {
    path: &'t Path,
    text: &'t str,
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Mistake>>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str, path: &'t Path) -> Self {
        Self {
            path,
            text,
            mistakes: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// The text as a table. Text that is no TOML is one mistake, whatever else is wrong with it.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'t>>, Mistakes> {
        DeTable::parse(self.text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            // The parser's longer messages have lines; ours have one.
            let message = error.message().trim().replace('\n', ", ");
            Mistakes(vec![self.placed(&at, format!("not valid TOML: {message}"))])
        })
    }

    pub(super) fn mistake(&self, at: &Range<usize>, message: impl Into<String>) {
        self.mistakes
            .borrow_mut()
            .push(self.placed(at, message.into()));
    }

    pub(super) fn warning(&self, at: &Range<usize>, message: impl Into<String>) {
        self.warnings
            .borrow_mut()
            .push(self.placed(at, message.into()));
    }

    /// A file that the manifest names: relative to the manifest's folder.
    pub(super) fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.before(at).matches('\n').count() + 1
    }

    /// What was read and the warnings, unless there are mistakes.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<(T, Vec<Mistake>), Mistakes> {
        let in_order = |list: RefCell<Vec<Mistake>>| {
            let mut list = list.into_inner();
            list.sort_by_key(|mistake| (mistake.line, mistake.column));
            list
        };
        match (read, in_order(self.mistakes)) {
            (Some(read), mistakes) if mistakes.is_empty() => Ok((read, in_order(self.warnings))),
            (_, mistakes) => Err(Mistakes(mistakes)),
        }
    }

    fn before(&self, at: &Range<usize>) -> &'t str {
        self.text.get(..at.start).unwrap_or(self.text)
    }

    fn placed(&self, at: &Range<usize>, message: String) -> Mistake {
        let before = self.before(at);
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        Mistake {
            file: self.path.to_owned(),
            line: self.line(at),
            column,
            message: one_line(message),
        }
    }
}

/// The text with its control characters written out: a message quotes what stands in the manifest, and
/// must neither break its own line nor speak to a terminal.
fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let written = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(written).collect()
}

/// A table, its place, and what it is called in messages.
#[derive(Clone)]
pub(super) struct Table<'s> {
    pub(super) source: &'s Source<'s>,
    pub(super) at: Range<usize>,
    name: String,
    entries: &'s DeTable<'s>,
}

/// A value, its place, its key, and what it is called in messages.
#[derive(Clone)]
pub(super) struct Item<'s> {
    pub(super) source: &'s Source<'s>,
    pub(super) at: Range<usize>,
    pub(super) key: &'s str,
    pub(super) key_at: Range<usize>,
    name: String,
    value: &'s DeValue<'s>,
}

impl<'s> Table<'s> {
    pub(super) fn root(source: &'s Source<'s>, table: &'s Spanned<DeTable<'s>>) -> Self {
        Self {
            source,
            at: 0..0,
            name: String::new(),
            entries: table.get_ref(),
        }
    }

    /// The value under `key`, if there is one.
    pub(super) fn get(&self, key: &str) -> Option<Item<'s>> {
        self.entries
            .get_key_value(key)
            .map(|(key, value)| self.item(key, value))
    }

    /// The value under a key that must be there.
    pub(super) fn require(&self, key: &str, cure: &str) -> Option<Item<'s>> {
        let found = self.get(key);
        if found.is_none() {
            self.source.mistake(
                &self.at,
                format!("`{}` is missing: {cure}", self.called(key)),
            );
        }
        found
    }

    /// All values, in the order of the text.
    pub(super) fn items(&self) -> Vec<Item<'s>> {
        let mut items: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| self.item(key, value))
            .collect();
        items.sort_by_key(|item| item.key_at.start);
        items
    }

    /// Reports all keys but these.
    pub(super) fn only(&self, known: &[&str]) {
        for item in self
            .items()
            .iter()
            .filter(|item| !known.contains(&item.key))
        {
            let hint = spelling::hint(item.key, known.iter().copied());
            self.source
                .mistake(&item.key_at, format!("`{}` is not known{hint}", item.name));
        }
    }

    /// The text under `key`, if there is one.
    pub(super) fn text(&self, key: &str) -> Option<&'s str> {
        self.get(key)?.text()
    }

    /// The number under `key`, if there is one.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.number()
    }

    /// The texts of the list under `key`; none if there is no list.
    pub(super) fn texts(&self, key: &str) -> Vec<(&'s str, Item<'s>)> {
        self.get(key).map(|list| list.texts()).unwrap_or_default()
    }

    /// The table under `key`, if there is one.
    pub(super) fn table(&self, key: &str) -> Option<Table<'s>> {
        self.get(key)?.table()
    }

    /// The values of the table under `key`; none if there is no table.
    pub(super) fn entries(&self, key: &str) -> Vec<Item<'s>> {
        self.table(key)
            .map(|table| table.items())
            .unwrap_or_default()
    }

    fn item(
        &self,
        key: &'s Spanned<std::borrow::Cow<'s, str>>,
        value: &'s Spanned<DeValue<'s>>,
    ) -> Item<'s> {
        let name = self.called(key.get_ref());
        let (source, value_at) = (self.source, value.span());
        Item {
            source,
            at: value_at,
            key: key.get_ref(),
            key_at: key.span(),
            name,
            value: value.get_ref(),
        }
    }

    fn called(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}

impl<'s> Item<'s> {
    pub(super) fn mistake(&self, message: impl Into<String>) {
        self.source.mistake(&self.at, message);
    }

    /// What it is called in messages: `component.a.source`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_str()
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    /// Whether it is a list or a table with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.value.as_array().is_some_and(|list| list.is_empty())
            || self.value.as_table().is_some_and(|table| table.is_empty())
    }

    pub(super) fn text(&self) -> Option<&'s str> {
        self.expect(self.value.as_str(), "a string")
    }

    /// A text with something in it.
    pub(super) fn words(&self) -> Option<&'s str> {
        let text = self.text()?;
        if text.trim().is_empty() {
            self.mistake(format!("`{}` must not be empty", self.name));
            return None;
        }
        Some(text)
    }

    /// A file, relative to the manifest's folder.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.words().map(|file| self.source.beside(file))
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.expect(self.value.as_bool(), "true or false")
    }

    /// A whole number from 1 on.
    pub(super) fn number(&self) -> Option<u64> {
        let digits = self.expect(self.value.as_integer(), "a whole number")?;
        let number =
            u64::from_str_radix(digits.as_str().trim_start_matches('+'), digits.radix()).ok();
        let number = number.filter(|number| *number > 0);
        if number.is_none() {
            self.mistake(format!(
                "`{}` must be above zero, and no more than {}",
                self.name,
                u64::MAX
            ));
        }
        number
    }

    /// A whole number from 0 on.
    pub(super) fn number_or_zero(&self) -> Option<u64> {
        match self.value.as_integer() {
            Some(digits) if digits.as_str() == "0" => Some(0),
            _ => self.number(),
        }
    }

    pub(super) fn table(&self) -> Option<Table<'s>> {
        let entries = self.expect(self.value.as_table(), "a table")?;
        Some(Table {
            source: self.source,
            at: self.at.clone(),
            name: self.name.clone(),
            entries,
        })
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> Vec<Item<'s>> {
        let Some(list) = self.expect(self.value.as_array(), "a list") else {
            return Vec::new();
        };
        let element = |(index, value): (usize, &'s Spanned<DeValue<'s>>)| Item {
            at: value.span(),
            name: format!("{}[{index}]", self.name),
            value: value.get_ref(),
            ..self.clone()
        };
        list.iter().enumerate().map(element).collect()
    }

    /// The elements of a list of texts.
    pub(super) fn texts(&self) -> Vec<(&'s str, Item<'s>)> {
        self.list()
            .into_iter()
            .filter_map(|item| Some((item.text()?, item)))
            .collect()
    }

    fn expect<T>(&self, found: Option<T>, wanted: &str) -> Option<T> {
        if found.is_none() {
            // The value itself is not printed: it may be a secret in the wrong type.
            let is = match self.value {
                DeValue::String(_) => "a string",
                DeValue::Integer(_) => "an integer",
                DeValue::Float(_) => "a float",
                DeValue::Boolean(_) => "a boolean",
                DeValue::Datetime(_) => "a date",
                DeValue::Array(_) => "a list",
                DeValue::Table(_) => "a table",
            };
            self.mistake(format!("`{}` must be {wanted}, not {is}", self.name));
        }
        found
    }
}
