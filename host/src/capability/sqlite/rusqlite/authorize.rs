//! What a guest's statement may do to a connection: everything inside its own database but to change
//! what is the host's, nothing outside of it. Comes in: each action SQLite finds while it prepares a statement; goes out: yes or
//! no, and a note when a session leaves something behind. Never looks at a statement's text.

use super::form::is_the_hosts;
use ::rusqlite::Connection;
use ::rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Pragmas that only tell something about the database.
const READ_PRAGMAS: [&str; 11] = [
    "data_version",
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "integrity_check",
    "quick_check",
];

/// Virtual tables that keep their content in the database itself.
const MODULES: [&str; 8] = [
    "fts3",
    "fts4",
    "fts4aux",
    "fts5",
    "fts5vocab",
    "rtree",
    "rtree_i32",
    "geopoly",
];

/// Functions that reach out of the database.
const CLOSED_FUNCTIONS: [&str; 2] = ["load_extension", "fts3_tokenizer"];

/// Puts the guard on a connection; `temporary` is set once a temporary object was made.
pub(super) fn guard(
    connection: &mut Connection,
    temporary: Arc<AtomicBool>,
) -> ::rusqlite::Result<()> {
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if makes_temporary(&context.action) {
            temporary.store(true, Ordering::Relaxed);
        }
        judge(&context.action)
    }))
}

/// For migrations: as for guests, and the transaction is the host's.
pub(super) fn judge_migration(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Transaction { .. } => Authorization::Deny,
        action => judge(&action),
    }
}

fn judge(action: &AuthAction<'_>) -> Authorization {
    match action {
        // VACUUM attaches too, and with INTO it would write a file of the guest's choice.
        AuthAction::Attach { .. } | AuthAction::Detach { .. } | AuthAction::Unknown { .. } => {
            Authorization::Deny
        }
        AuthAction::Function { function_name } => allow(!is_in(function_name, &CLOSED_FUNCTIONS)),
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => allow(pragma_is_harmless(pragma_name, *pragma_value)),
        AuthAction::CreateVtable {
            module_name,
            table_name,
        } => allow(is_in(module_name, &MODULES) && !is_the_hosts(table_name)),
        action => allow(!changed(action).iter().any(|name| is_the_hosts(name))),
    }
}

/// The names of what an action makes, changes or hangs something on.
fn changed<'a>(action: &AuthAction<'a>) -> [&'a str; 2] {
    match *action {
        AuthAction::CreateIndex {
            index_name: name,
            table_name,
        }
        | AuthAction::CreateTempIndex {
            index_name: name,
            table_name,
        }
        | AuthAction::CreateTrigger {
            trigger_name: name,
            table_name,
        }
        | AuthAction::CreateTempTrigger {
            trigger_name: name,
            table_name,
        } => [name, table_name],
        AuthAction::CreateTable { table_name }
        | AuthAction::CreateTempTable { table_name }
        | AuthAction::CreateView {
            view_name: table_name,
        }
        | AuthAction::CreateTempView {
            view_name: table_name,
        }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::AlterTable { table_name, .. } => [table_name, ""],
        _ => ["", ""],
    }
}

fn pragma_is_harmless(name: &str, value: Option<&str>) -> bool {
    if name.eq_ignore_ascii_case("foreign_keys") {
        // They are on; to switch them on once more is what many programs do first.
        return value.is_none_or(|value| is_in(value, &["on", "1", "true", "yes"]));
    }
    // SQLite's own search tables ask for the page size, with the rights of the guest.
    if name.eq_ignore_ascii_case("page_size") {
        return value.is_none();
    }
    name.eq_ignore_ascii_case("user_version") || is_in(name, &READ_PRAGMAS)
}

fn makes_temporary(action: &AuthAction<'_>) -> bool {
    matches!(
        action,
        AuthAction::CreateTempTable { .. }
            | AuthAction::CreateTempView { .. }
            | AuthAction::CreateTempIndex { .. }
            | AuthAction::CreateTempTrigger { .. }
    )
}

fn is_in(word: &str, list: &[&str]) -> bool {
    list.iter().any(|entry| entry.eq_ignore_ascii_case(word))
}

fn allow(yes: bool) -> Authorization {
    if yes {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}
