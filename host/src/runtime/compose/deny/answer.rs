//! The denial of a type: the value that says no, laid out in memory.
//!
//! Owns the choice among a type's values and its layout. A type comes in; the bytes of its denial
//! go out, or none when no such value can be made without a host (a resource, a stream, a future).
//! It never chooses a success where a failure can be said.

use wit_parser::{Int, Resolve, SizeAlign, Type, TypeDefKind};

/// Lays out denials for the types of one `Resolve`.
pub(super) struct Denials<'a> {
    resolve: &'a Resolve,
    sizes: SizeAlign,
    words: Words,
}

/// What a denial says where its type has room for words: where they stand in memory, and their length.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub(super) at: u32,
    pub(super) length: u32,
}

/// Whether the value is the answer itself or says why there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Answer,
    Reason,
}

impl<'a> Denials<'a> {
    /// Denials that say `words`.
    pub(super) fn new(resolve: &'a Resolve, words: Words) -> Self {
        let mut sizes = SizeAlign::default();
        sizes.fill(resolve);
        Self {
            resolve,
            sizes,
            words,
        }
    }

    /// The denial of `ty`, as it lies in memory.
    pub(super) fn of(&self, ty: &Type) -> Option<Vec<u8>> {
        self.value(ty, Role::Answer)
    }

    fn value(&self, ty: &Type, role: Role) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.sizes.size(ty).size_wasm32()];
        let id = match ty {
            Type::String => {
                if role == Role::Reason {
                    put(&mut bytes, 0, &self.words.at.to_le_bytes())?;
                    put(&mut bytes, 4, &self.words.length.to_le_bytes())?;
                }
                return Some(bytes);
            }
            Type::ErrorContext => return None,
            Type::Id(id) => *id,
            // A number, false, or the character U+0000: zero.
            _ => return Some(bytes),
        };
        match &self.resolve.types.get(id)?.kind {
            TypeDefKind::Type(ty) => self.value(ty, role),
            // None of them, in both senses; a list or a map of none is zero wherever it points.
            TypeDefKind::Flags(_)
            | TypeDefKind::List(_)
            | TypeDefKind::Map(..)
            | TypeDefKind::Option(_) => Some(bytes),
            TypeDefKind::Record(record) => {
                self.fields(bytes, record.fields.iter().map(|field| &field.ty), role)
            }
            TypeDefKind::Tuple(tuple) => self.fields(bytes, tuple.types.iter(), role),
            TypeDefKind::FixedLengthList(ty, length) => {
                let fields = std::iter::repeat_n(ty, *length as usize);
                self.fields(bytes, fields, role)
            }
            TypeDefKind::Result(result) => {
                let cases = [result.ok.as_ref(), result.err.as_ref()];
                self.case(&bytes, Int::U8, &cases, 1, Role::Reason)
                    .or_else(|| self.case(&bytes, Int::U8, &cases, 0, role))
            }
            TypeDefKind::Enum(cases) => {
                let names = cases.cases.iter().map(|case| case.name.as_str());
                let chosen = denied(names).or_else(|| cases.cases.len().checked_sub(1))?;
                self.case(&bytes, cases.tag(), &[], chosen, role)
            }
            TypeDefKind::Variant(variant) => {
                let cases: Vec<_> = variant.cases.iter().map(|case| case.ty.as_ref()).collect();
                let names = variant.cases.iter().map(|case| case.name.as_str());
                let is_wordy = |at: &usize| cases.get(*at).is_some_and(|ty| self.is_string(*ty));
                let general = variant.cases.iter().position(|case| is_general(&case.name));
                let wordy = general.filter(is_wordy);
                let wordy = wordy.or_else(|| (0..cases.len()).rev().find(is_wordy));
                denied(names)
                    .into_iter()
                    .chain(wordy)
                    .chain((0..cases.len()).rev())
                    .find_map(|chosen| self.case(&bytes, variant.tag(), &cases, chosen, role))
            }
            TypeDefKind::Resource
            | TypeDefKind::Handle(_)
            | TypeDefKind::Future(_)
            | TypeDefKind::Stream(_)
            | TypeDefKind::Unknown => None,
        }
    }

    fn fields<'t>(
        &self,
        mut bytes: Vec<u8>,
        types: impl IntoIterator<Item = &'t Type>,
        role: Role,
    ) -> Option<Vec<u8>> {
        for (offset, ty) in self.sizes.field_offsets(types) {
            put(&mut bytes, offset.size_wasm32(), &self.value(ty, role)?)?;
        }
        Some(bytes)
    }

    /// The case of this number, on top of zeroes.
    fn case(
        &self,
        zeroes: &[u8],
        tag: Int,
        cases: &[Option<&Type>],
        chosen: usize,
        role: Role,
    ) -> Option<Vec<u8>> {
        let mut bytes = zeroes.to_vec();
        let tag_size = match tag {
            Int::U8 => 1,
            Int::U16 => 2,
            Int::U32 | Int::U64 => 4,
        };
        put(&mut bytes, 0, chosen.to_le_bytes().get(..tag_size)?)?;
        if let Some(Some(ty)) = cases.get(chosen) {
            let offset = self.sizes.payload_offset(tag, cases.iter().copied());
            put(&mut bytes, offset.size_wasm32(), &self.value(ty, role)?)?;
        }
        Some(bytes)
    }

    fn is_string(&self, ty: Option<&Type>) -> bool {
        match ty {
            Some(Type::String) => true,
            Some(Type::Id(id)) => match self.resolve.types.get(*id).map(|ty| &ty.kind) {
                Some(TypeDefKind::Type(ty)) => self.is_string(Some(ty)),
                _ => false,
            },
            _ => false,
        }
    }

    /// The alignment of `ty` in memory.
    pub(super) fn align(&self, ty: &Type) -> usize {
        self.sizes.align(ty).align_wasm32()
    }
}

/// Whether a case is for whatever the others do not name.
fn is_general(name: &str) -> bool {
    matches!(name, "other" | "io" | "runtime-error")
}

/// The case that is called a denial.
fn denied<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Option<usize> {
    let mut exact = names.clone();
    let mut near = names;
    exact
        .position(|name| name == "access-denied")
        .or_else(|| near.position(|name| name.to_ascii_lowercase().contains("denied")))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Option<()> {
    let room = bytes.get_mut(at..)?.get_mut(..value.len())?;
    room.copy_from_slice(value);
    Some(())
}
