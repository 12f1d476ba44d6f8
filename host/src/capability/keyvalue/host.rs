//! The faces of key-value that guests see, a file each, named after its interface. Comes in: a Linker and the
//! way to an instance's state; goes out: the same Linker with all faces. What the faces share is here: what
//! they need of an instance, how a bucket is opened and let go, and what of an error they tell apart.

mod fermyon_spin;
mod spin_key_value;
mod wasi_keyvalue_draft;
mod wasi_keyvalue_draft2;

use super::{Bucket, Ctx, Error};
use crate::capability::bindings::keyvalue::{
    fermyon_spin as fermyon, spin_key_value as spin, wasi_keyvalue_draft as draft,
    wasi_keyvalue_draft2 as draft2,
};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

/// What the faces need of an instance's state.
pub struct View<'a> {
    /// What the instance may open.
    pub ctx: &'a mut Ctx,
    /// Where its open buckets are.
    pub table: &'a mut ResourceTable,
}

/// Gives key-value to the guests of this linker.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    spin::add_to_linker::<T, Face>(linker, view)?;
    fermyon::add_to_linker::<T, Face>(linker, view)?;
    draft::store::add_to_linker::<T, Face>(linker, view)?;
    draft::atomics::add_to_linker::<T, Face>(linker, view)?;
    draft::batch::add_to_linker::<T, Face>(linker, view)?;
    draft2::store::add_to_linker::<T, Face>(linker, view)?;
    draft2::atomics::add_to_linker::<T, Face>(linker, view)?;
    draft2::batch::add_to_linker::<T, Face>(linker, view)
}

struct Face;

impl HasData for Face {
    type Data<'a> = View<'a>;
}

impl View<'_> {
    fn bucket(&self, handle: &Resource<Bucket>) -> wasmtime::Result<Bucket> {
        Ok(self.table.get(handle)?.clone())
    }

    /// Lets go of a bucket, or of whatever else a face has in the instance's table.
    fn close<R: Send + 'static>(&mut self, handle: Resource<R>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

/// The room's error as far as any face tells errors apart.
enum Refusal {
    TableFull(String),
    NoSuchStore,
    AccessDenied,
    Other(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::AccessDenied(_) => Self::AccessDenied,
            Error::NoSuchBucket(_) => Self::NoSuchStore,
            error @ Error::TooManyOpen(_) => Self::TableFull(error.to_string()),
            error @ (Error::KeyLength { .. }
            | Error::ValueTooLarge { .. }
            | Error::TooMuchPending(_)
            | Error::TooManyKeys { .. }
            | Error::TooMuchAtOnce(_)
            | Error::NotACounter(_)
            | Error::CounterRange
            | Error::Full(_)
            | Error::Backend(_)) => Self::Other(error.to_string()),
        }
    }
}
