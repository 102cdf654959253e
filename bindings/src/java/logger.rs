//! Sends the library's log to a Java object.

use std::sync::Arc;

use bedside::{Error, ErrorKind, Result};
use jni::objects::{JClass, JObject, JString, JValue};
use jni::{Env, JavaVM, jni_sig, jni_str};
use log::{Level, LevelFilter};

use crate::sink;

/// Sends the log to the static method `log(Logger, int, String, String)` of `class`, which is `Native`, with `receiver`
/// as its first argument. Records are dropped where `receiver` is null.
pub(super) fn set(env: &mut Env<'_>, class: &JClass<'_>, receiver: &JObject<'_>, level: i32) -> Result<()> {
    if receiver.is_null() {
        sink::set(None, LevelFilter::Off);
        return Ok(());
    }
    let refused =
        |error: jni::errors::Error| Error::new(ErrorKind::Internal, format!("the JVM does not take a logger: {error}"));
    let class = env.new_global_ref(class).map_err(refused)?;
    let receiver = env.new_global_ref(receiver).map_err(refused)?;
    let vm = env.get_java_vm().map_err(refused)?;
    let send = move |level: Level, target: &str, message: &str| {
        // A record that can't be delivered is lost, because there is no other place to report it.
        let _ = deliver(&vm, &class, &receiver, level, target, message);
    };
    sink::set(Some(Arc::new(send)), level_filter(level));
    Ok(())
}

/// Calls the static method `log` of `class` on this thread, which is attached to the JVM where needed.
fn deliver(
    vm: &JavaVM,
    class: &JClass<'_>,
    receiver: &JObject<'_>,
    level: Level,
    target: &str,
    message: &str,
) -> jni::errors::Result<()> {
    vm.attach_current_thread(|env| {
        let (target, message) = (JString::from_str(env, target)?, JString::from_str(env, message)?);
        let level = JValue::Int(level as i32 - 1);
        let arguments = [receiver.into(), level, (&target).into(), (&message).into()];
        let signature = jni_sig!("(Ldev/bedside/jni/Logger;ILjava/lang/String;Ljava/lang/String;)V");
        env.call_static_method(class, jni_str!("log"), signature, &arguments)?;
        Ok(())
    })
}

/// The level with this ordinal in Java's `LogLevel`.
pub(super) fn level_filter(level: i32) -> LevelFilter {
    match level {
        0 => LevelFilter::Error,
        1 => LevelFilter::Warn,
        2 => LevelFilter::Info,
        3 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    }
}
