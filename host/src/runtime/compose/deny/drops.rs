//! Handles that come in with a denied call, and are to be given back before the answer.
//!
//! Owns finding them among a function's flat parameters. A borrow that is kept past the call is a
//! trap, and an own would live as long as the store, so both are dropped. Only resources of
//! imported interfaces count: of its own resources the denying component never makes one.

use wit_parser::abi::{FlatTypes, WasmType};
use wit_parser::{
    Function, Handle, LiftLowerAbi, ManglingAndAbi, Resolve, ResourceIntrinsic, Type, TypeDefKind,
    TypeId, TypeOwner, WasmImport, World, WorldKey,
};

/// A handle to drop.
pub(super) struct Drop {
    /// The parameter that holds it.
    pub(super) local: u32,
    /// The parameter that must be one for the handle to be there: an option's.
    pub(super) only_if: Option<u32>,
    /// The core import that drops it.
    pub(super) import: (String, String),
}

/// The handles among the flat parameters of `function`, as an export of `world`.
pub(super) fn drops(resolve: &Resolve, world: &World, function: &Function) -> Vec<Drop> {
    let mut walk = Walk {
        resolve,
        world,
        local: 0,
        found: Vec::new(),
    };
    for param in &function.params {
        walk.value(&param.ty, None);
    }
    walk.found
}

struct Walk<'a> {
    resolve: &'a Resolve,
    world: &'a World,
    local: u32,
    found: Vec<Drop>,
}

impl Walk<'_> {
    fn value(&mut self, ty: &Type, only_if: Option<u32>) {
        let kind = match ty {
            Type::Id(id) => self.resolve.types.get(*id).map(|ty| &ty.kind),
            _ => None,
        };
        match kind {
            Some(TypeDefKind::Type(ty)) => self.value(ty, only_if),
            Some(TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id))) => {
                if let Some(import) = self.import(*id) {
                    self.found.push(Drop {
                        local: self.local,
                        only_if,
                        import,
                    });
                }
                self.local += 1;
            }
            Some(TypeDefKind::Record(record)) => {
                for field in &record.fields {
                    self.value(&field.ty, only_if);
                }
            }
            Some(TypeDefKind::Tuple(tuple)) => {
                for ty in &tuple.types {
                    self.value(ty, only_if);
                }
            }
            Some(TypeDefKind::Option(inner)) if only_if.is_none() => {
                let is_some = self.local;
                self.local += 1;
                self.value(inner, Some(is_some));
            }
            _ => self.local += self.width(ty),
        }
    }

    /// How many flat parameters a value takes. Functions with more than sixteen have none.
    fn width(&self, ty: &Type) -> u32 {
        let mut room = [WasmType::I32; Resolve::MAX_FLAT_PARAMS];
        let mut flat = FlatTypes::new(&mut room);
        self.resolve.push_flat(ty, &mut flat);
        flat.to_vec().len() as u32
    }

    /// The core import that drops a resource, when an imported interface defines it.
    fn import(&self, mut resource: TypeId) -> Option<(String, String)> {
        let definition = loop {
            let definition = self.resolve.types.get(resource)?;
            match definition.kind {
                TypeDefKind::Type(Type::Id(next)) => resource = next,
                _ => break definition,
            }
        };
        let TypeOwner::Interface(owner) = definition.owner else {
            return None;
        };
        let key = WorldKey::Interface(owner);
        self.world.imports.contains_key(&key).then(|| {
            self.resolve.wasm_import_name(
                ManglingAndAbi::Legacy(LiftLowerAbi::Sync),
                WasmImport::ResourceIntrinsic {
                    interface: Some(&key),
                    resource,
                    intrinsic: ResourceIntrinsic::ImportedDrop,
                },
            )
        })
    }
}
