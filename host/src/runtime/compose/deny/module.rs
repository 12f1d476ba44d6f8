//! The core module behind the denials.
//!
//! Owns its layout and its code. A world comes in; a module goes out that exports a function for
//! each of the world's exported functions. Memory holds for each interface its words, then one answer for
//! each function, then room for arguments, which nobody reads: every allocation gets the same room.

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{
    LiftLowerAbi, ManglingAndAbi, Resolve, WasmExport, WasmExportKind, World, WorldId, WorldItem,
};

use super::Denial;
use super::answer::{Denials, Words};
use super::drops::{Drop, drops};

/// Synchronous even for async functions: an answer that is known does not wait.
const ABI: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// Where the words stand. Address zero stays empty, so that no pointer to it looks like none.
const BASE: u32 = 16;
const PAGE: u32 = 65_536;

/// One exported function.
struct Denied {
    export: String,
    signature: WasmSignature,
    drops: Vec<Drop>,
    answer: Answer,
}

enum Answer {
    /// The function has no result, or one that takes no room.
    Nothing,
    /// The result's bits.
    Direct(u64),
    /// The address of the result.
    At(u32),
    /// No value of the result's type can be made.
    Trap,
}

/// The module for a world of denials.
pub(super) fn module(resolve: &Resolve, world: WorldId, denied: &[Denial]) -> Vec<u8> {
    let Some(world) = resolve.worlds.get(world) else {
        return Module::new().finish();
    };
    let mut image = Vec::new();
    let functions = functions(resolve, world, denied, &mut image);
    align(&mut image, 16);
    encode(resolve, &functions, &image)
}

fn functions(
    resolve: &Resolve,
    world: &World,
    denied: &[Denial],
    image: &mut Vec<u8>,
) -> Vec<Denied> {
    let mut functions = Vec::new();
    for (key, item) in &world.exports {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let Some(interface) = resolve.interfaces.get(*id) else {
            continue;
        };
        let name = resolve.name_world_key(key);
        let words = denied.iter().find(|denial| denial.import == name);
        let words = put(image, words.map_or("", |denial| denial.words));
        let denials = Denials::new(resolve, words);
        for function in interface.functions.values() {
            let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
            let answer = match &function.result {
                None => Answer::Nothing,
                Some(ty) => match denials.of(ty) {
                    None => Answer::Trap,
                    Some(_) if signature.results.is_empty() => Answer::Nothing,
                    Some(bytes) if signature.retptr => {
                        align(image, denials.align(ty));
                        let at = BASE + image.len() as u32;
                        image.extend(bytes);
                        Answer::At(at)
                    }
                    Some(bytes) => Answer::Direct(bits(&bytes)),
                },
            };
            functions.push(Denied {
                export: resolve.wasm_export_name(
                    ABI,
                    WasmExport::Func {
                        interface: Some(key),
                        func: function,
                        kind: WasmExportKind::Normal,
                    },
                ),
                drops: match signature.indirect_params {
                    true => Vec::new(),
                    false => drops(resolve, world, function),
                },
                signature,
                answer,
            });
        }
    }
    functions
}

fn encode(resolve: &Resolve, functions: &[Denied], image: &[u8]) -> Vec<u8> {
    let mut imported: Vec<&(String, String)> = Vec::new();
    for drop in functions.iter().flat_map(|function| &function.drops) {
        if !imported.contains(&&drop.import) {
            imported.push(&drop.import);
        }
    }
    let room = BASE + image.len() as u32;

    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    let mut declared = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    types.ty().function([ValType::I32], []);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    for (module, name) in &imported {
        imports.import(module, name, EntityType::Function(0));
    }
    let mut index = imported.len() as u32;
    declared.function(1);
    exports.export(
        &resolve.wasm_export_name(ABI, WasmExport::Realloc),
        ExportKind::Func,
        index,
    );
    code.function(&realloc(room));
    for function in functions {
        index += 1;
        declared.function(types.len());
        types.ty().function(
            function.signature.params.iter().map(core_type),
            function.signature.results.iter().map(core_type),
        );
        exports.export(&function.export, ExportKind::Func, index);
        code.function(&body(function, &imported));
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: u64::from(room / PAGE + 1),
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    exports.export(
        &resolve.wasm_export_name(ABI, WasmExport::Memory),
        ExportKind::Memory,
        0,
    );
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(BASE as i32), image.iter().copied());

    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&declared)
        .section(&memories)
        .section(&exports)
        .section(&code)
        .section(&data);
    module.finish()
}

fn body(denied: &Denied, imported: &[&(String, String)]) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    if let Answer::Trap = denied.answer {
        code.unreachable().end();
        return function;
    }
    for drop in &denied.drops {
        let Some(import) = imported.iter().position(|import| **import == drop.import) else {
            continue;
        };
        if let Some(only_if) = drop.only_if {
            code.local_get(only_if).if_(wasm_encoder::BlockType::Empty);
        }
        code.local_get(drop.local).call(import as u32);
        if drop.only_if.is_some() {
            code.end();
        }
    }
    match denied.answer {
        Answer::Nothing | Answer::Trap => {}
        Answer::At(address) => {
            code.i32_const(address as i32);
        }
        Answer::Direct(bits) => match denied.signature.results.first().map(core_type) {
            Some(ValType::I64) => {
                code.i64_const(bits as i64);
            }
            Some(ValType::F32) => {
                code.f32_const(f32::from_bits(bits as u32).into());
            }
            Some(ValType::F64) => {
                code.f64_const(f64::from_bits(bits).into());
            }
            _ => {
                code.i32_const(bits as i32);
            }
        },
    }
    code.end();
    function
}

/// Puts words into memory.
fn put(image: &mut Vec<u8>, words: &str) -> Words {
    let at = BASE + image.len() as u32;
    image.extend(words.as_bytes());
    Words {
        at,
        length: words.len() as u32,
    }
}

/// Always the same room, made larger when a request is larger than what is there.
fn realloc(room: u32) -> Function {
    const SIZE: u32 = 3;
    let mut function = Function::new([(1, ValType::I32)]);
    let wanted = 4;
    function
        .instructions()
        // wanted = (room + size + PAGE - 1) / PAGE - memory.size, in 64 bits until it is small.
        .local_get(SIZE)
        .i64_extend_i32_u()
        .i64_const(i64::from(room) + i64::from(PAGE) - 1)
        .i64_add()
        .i64_const(16)
        .i64_shr_u()
        .i32_wrap_i64()
        .memory_size(0)
        .i32_sub()
        .local_tee(wanted)
        .i32_const(0)
        .i32_gt_s()
        .if_(wasm_encoder::BlockType::Empty)
        .local_get(wanted)
        .memory_grow(0)
        .i32_const(-1)
        .i32_eq()
        .if_(wasm_encoder::BlockType::Empty)
        .unreachable()
        .end()
        .end()
        .i32_const(room as i32)
        .end();
    function
}

fn core_type(ty: &WasmType) -> ValType {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    }
}

/// A value of one scalar, as the number its bytes make.
fn bits(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().take(8).rev();
    bytes.fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

fn align(image: &mut Vec<u8>, to: usize) {
    while !(image.len() + BASE as usize).is_multiple_of(to.max(1)) {
        image.push(0);
    }
}
