//! The graph: instances, arguments, exports, and the bytes it is written to.
//!
//! Owns the composition graph of one root. Parts come in, already bytes; the composed component
//! goes out. It wires what [`select`](super::select) chose, wires denials where a part is isolated,
//! and leaves the rest to the host. It never plugs by guess.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};
use wac_types::Package;

use super::deny::{self, Denial};
use super::error::{ComposeError, MissingImport};
use super::select::{Choice, Surface, choose, is_types_only, nearest};
use super::{Composed, Host, Inherit, Isolated, LinkedImport, Part, Refused, baseline};
use crate::runtime::inspect::inspect;

/// One root in the making.
pub(super) struct Wiring<'a> {
    host: &'a dyn Host,
    graph: CompositionGraph,
    /// The components in the graph, so that each is written once.
    packages: Vec<(Arc<[u8]>, PackageId)>,
    linked: Vec<LinkedImport>,
    isolated: Vec<Isolated>,
    refused: Vec<Refused>,
    missing: Vec<MissingImport>,
}

impl<'a> Wiring<'a> {
    pub(super) fn new(host: &'a dyn Host) -> Self {
        Self {
            host,
            graph: CompositionGraph::new(),
            packages: Vec::new(),
            linked: Vec::new(),
            isolated: Vec::new(),
            refused: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Wires the root and everything under it, and writes the result.
    pub(super) fn finish(mut self, root: &Part) -> Result<Composed, ComposeError> {
        let instance = self.part(root, Inherit::ALL)?;
        if !self.missing.is_empty() {
            return Err(ComposeError::Missing(self.missing));
        }
        let bytes = if root.dependencies.is_empty() && self.refused.is_empty() {
            root.bytes.to_vec()
        } else {
            self.write(root, instance)?
        };
        Ok(Composed {
            bytes,
            linked: self.linked,
            isolated: self.isolated,
            refused: self.refused,
        })
    }

    /// Instantiates a part with its arguments, dependencies first.
    fn part(&mut self, part: &Part, granted: Inherit) -> Result<NodeId, ComposeError> {
        let package = self.package(part)?;
        let own = self.surface(package);
        let dependencies = part
            .dependencies
            .iter()
            .map(|link| {
                let package = self.package(&link.part)?;
                Ok(self.surface(package))
            })
            .collect::<Result<Vec<_>, ComposeError>>()?;
        let choices = choose(part, &own, &dependencies, self.graph.types(), self.host)?;

        let mut arguments: Vec<(String, NodeId)> = Vec::new();
        let mut instances: Vec<(&Part, Inherit, NodeId)> = Vec::new();
        for Choice {
            import,
            link,
            export,
        } in choices
        {
            let Some(link) = part.dependencies.get(link) else {
                continue;
            };
            // A dependency inherits from its dependent, which has no more than it inherited itself.
            let inherited = granted.and(link.inherit);
            let known = instances
                .iter()
                .find(|(known, with, _)| *known == &link.part && *with == inherited);
            let from = match known {
                Some((_, _, node)) => *node,
                None => {
                    let node = self.part(&link.part, inherited)?;
                    instances.push((&link.part, inherited, node));
                    node
                }
            };
            let argument = self.alias(part, from, &export)?;
            arguments.push((import.clone(), argument));
            self.linked.push(LinkedImport {
                into: part.name.clone(),
                import,
                from: link.part.name.clone(),
                export,
            });
        }

        let (mut denials, mut denied) = (Vec::new(), Vec::new());
        for (import, kind) in &own.imports {
            let is_linked = arguments.iter().any(|(name, _)| name == import);
            if is_linked || is_types_only(self.graph.types(), *kind) {
                continue;
            }
            let provided = self.host.provides(import);
            let refused = self.host.refuses(import).filter(|_| !provided);
            if let Some(words) = refused {
                denials.push(denial(import, words));
                self.refused.push(Refused {
                    part: part.name.clone(),
                    import: import.clone(),
                    words,
                });
            } else if !provided {
                self.missing.push(MissingImport {
                    part: part.name.clone(),
                    import: import.clone(),
                    near: nearest(part, &dependencies, import),
                    provided: self.host.versions(import),
                });
            } else if !granted.has(import) && !baseline::keeps(import) {
                denials.push(denial(import, deny::INHERITS_NOTHING));
                denied.push(import.clone());
            }
        }
        if !denials.is_empty() {
            let node = self.denials(part, &denials, &arguments)?;
            for Denial { import, .. } in denials {
                let argument = self.alias(part, node, &import)?;
                arguments.push((import, argument));
            }
        }
        if !denied.is_empty() {
            self.isolated.push(Isolated {
                part: part.name.clone(),
                denied,
            });
        }

        let instance = self.graph.instantiate(package);
        self.arguments(part, instance, &arguments)?;
        Ok(instance)
    }

    /// Instantiates the denials of a part. Where a denied interface uses the types of another
    /// import, it must have that import from where the part itself has it.
    fn denials(
        &mut self,
        part: &Part,
        denied: &[Denial],
        arguments: &[(String, NodeId)],
    ) -> Result<NodeId, ComposeError> {
        let fault = |source| ComposeError::Deny {
            part: part.name.clone(),
            source,
        };
        let bytes = guarded(|| deny::component(&part.bytes, denied))
            .map_err(|words| fault(deny::DenyError::Unreadable(words)))?
            .map_err(fault)?;
        let package = self.register(&part.name, bytes.into())?;
        let instance = self.graph.instantiate(package);
        let imports = self.surface(package).imports;
        let shared: Vec<_> = arguments
            .iter()
            .filter(|(name, _)| imports.iter().any(|(import, _)| import == name))
            .cloned()
            .collect();
        self.arguments(part, instance, &shared)?;
        Ok(instance)
    }

    fn arguments(
        &mut self,
        part: &Part,
        instance: NodeId,
        arguments: &[(String, NodeId)],
    ) -> Result<(), ComposeError> {
        for (import, node) in arguments {
            self.graph
                .set_instantiation_argument(instance, import, *node)
                .map_err(|fault| unwritable(part, fault))?;
        }
        Ok(())
    }

    fn alias(
        &mut self,
        part: &Part,
        instance: NodeId,
        export: &str,
    ) -> Result<NodeId, ComposeError> {
        self.graph
            .alias_instance_export(instance, export)
            .map_err(|fault| unwritable(part, fault))
    }

    /// The part's component in the graph, read when it is met for the first time.
    fn package(&mut self, part: &Part) -> Result<PackageId, ComposeError> {
        inspect(&part.bytes).map_err(|source| ComposeError::NotAComponent {
            part: part.name.clone(),
            source,
        })?;
        self.register(&part.name, Arc::clone(&part.bytes))
    }

    fn register(&mut self, name: &str, bytes: Arc<[u8]>) -> Result<PackageId, ComposeError> {
        let known = self.packages.iter().find(|(known, _)| *known == bytes);
        if let Some((_, package)) = known {
            return Ok(*package);
        }
        let unreadable = |reason| ComposeError::Unreadable {
            part: name.to_owned(),
            reason,
        };
        let key = format!("signet:part{}", self.packages.len());
        let graph = &mut self.graph;
        let package =
            guarded(|| Package::from_bytes(&key, None, bytes.to_vec(), graph.types_mut()))
                .map_err(unreadable)?
                .map_err(|fault| unreadable(format!("{fault:#}")))?;
        let package = graph
            .register_package(package)
            .map_err(|fault| unreadable(fault.to_string()))?;
        self.packages.push((bytes, package));
        Ok(package)
    }

    fn surface(&self, package: PackageId) -> Surface {
        let world = &self.graph.types()[self.graph[package].ty()];
        let copy = |(name, kind): (&String, &_)| (name.clone(), *kind);
        Surface {
            imports: world.imports.iter().map(copy).collect(),
            exports: world.exports.iter().map(copy).collect(),
        }
    }

    fn write(&mut self, root: &Part, instance: NodeId) -> Result<Vec<u8>, ComposeError> {
        let package = self.package(root)?;
        for (export, _) in self.surface(package).exports {
            let node = self.alias(root, instance, &export)?;
            self.graph
                .export(node, export)
                .map_err(|fault| unwritable(root, fault))?;
        }
        let options = EncodeOptions::default();
        guarded(|| self.graph.encode(options))
            .map_err(|reason| ComposeError::Unwritable {
                root: root.name.clone(),
                reason,
            })?
            .map_err(|fault| unwritable(root, fault))
    }
}

fn denial(import: &str, words: &'static str) -> Denial {
    Denial {
        import: import.to_owned(),
        words,
    }
}

fn unwritable(part: &Part, fault: impl Into<anyhow::Error>) -> ComposeError {
    ComposeError::Unwritable {
        root: part.name.clone(),
        reason: format!("{:#}", fault.into()),
    }
}

/// The reader and the writer of components assert what they expect. A stranger's component must not
/// take the host down with one of those assertions, so it becomes an error that names the component.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        words.unwrap_or("it is built in an unknown way").to_owned()
    })
}
