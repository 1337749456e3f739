//! `env`: environment variables, in the project file and in tfvars.

use super::arguments::text;
use super::{Function, FunctionError, Param, Returns};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::new("env", &[Param::string("name")], Returns::String, |arguments, context| {
        let Some(env) = context.env else {
            let why = "environment variables can be read in the project file and in tfvars files, not in a module";
            return Err(FunctionError::failed(why));
        };
        env(text(arguments, 0)).map(Value::string).map_err(FunctionError::failed)
    })];
