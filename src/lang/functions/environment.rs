//! `env`: environment variables, in the project file and in tfvars.

use super::arguments::text;
use super::{Function, FunctionError, NoVariable, Param, Returns};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::new("env", &[Param::string("name")], Returns::String, |arguments, context| {
        let Some(env) = context.env else {
            let why = "environment variables can be read in the project file and in tfvars files, not in a module";
            return Err(FunctionError::failed(why));
        };
        let name = text(arguments, 0);
        env(name).map(Value::string).map_err(|why| match why {
            NoVariable::Unset => FunctionError::Unset { variable: name.to_owned() },
            NoVariable::Unlisted => FunctionError::failed(format!(
                "the environment variable {name} is not listed in the project file; add it to project {{ env = […] }}"
            )),
        })
    })];
