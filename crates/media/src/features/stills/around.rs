//! What the step of every kind of picture knows beside the pictures: template, names, storage.

use mps_core::Result;
use mps_wire::ApiError;
use mps_wire::codes::invalid_parameter_value;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::features::item::{self, Item, number_format, pattern};
use crate::features::marks::{self, Mark};
use crate::names::{NumberFormat, Pattern, SourceName, Values, Variable};
use crate::plan::Build;

/// Variables that names of pictures may use.
const VARIABLES: &[Variable] = &[
    Variable::InputName,
    Variable::InputFormat,
    Variable::Definition,
    Variable::Format,
    Variable::Number,
    Variable::TaskId,
];

/// How pictures are named; the pattern is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Directory for relative patterns, beginning and ending with `/`.
    pub directory: String,
    /// Pattern of the pictures.
    pub object: String,
    /// How `{number}` is written.
    pub number: NumberFormat,
}

/// The common part of a step's params.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Around {
    /// Number of the template.
    pub definition: i64,
    /// Place of the item in the request's list, from 0.
    pub item: usize,
    /// What is laid over the pictures.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Under which names.
    pub naming: Naming,
    /// What the source's address gives to names.
    pub source: SourceName,
    /// Where to: the API's `TaskOutputStorage`.
    pub storage: Value,
}

impl Around {
    /// Of an item of `list`, whose pictures are named `usual` unless it says otherwise.
    ///
    /// # Errors
    /// `InvalidParameterValue` for a name that is unsafe, or that would be that of several files when `is_many`.
    pub fn of(
        item: &Item<'_>,
        list: &str,
        usual: &str,
        is_many: bool,
        build: &Build,
    ) -> Result<Self, ApiError> {
        let here = item.path(list);
        let (object, parsed) = pattern(item.value, "OutputObjectPath", usual, VARIABLES, &here)?;
        if is_many && !parsed.uses(Variable::Number) {
            return Err(invalid_parameter_value(format!(
                "{here}.OutputObjectPath must contain {{number}}, or all pictures would get one name"
            )));
        }
        Ok(Self {
            definition: item::definition(item.value),
            item: item.nth,
            marks: marks::from_wire(item.value, item.marks, &here, true, build)?,
            naming: Naming { directory: item.directory(), object, number: number_format(item.value, &here)? },
            source: item.place.source.clone(),
            storage: item.storage(),
        })
    }

    /// The key of the `nth` picture.
    ///
    /// # Errors
    /// `InvalidInput` when the source's name makes it unsafe or too long.
    pub fn key(&self, nth: usize, extension: &str, task_id: &str) -> Result<String> {
        self.key_of(&self.naming.object, &self.naming.directory, nth, extension, task_id)
    }

    /// The same for another pattern below another directory.
    ///
    /// # Errors
    /// As for [`Around::key`].
    pub fn key_of(
        &self,
        object: &str,
        directory: &str,
        nth: usize,
        extension: &str,
        task_id: &str,
    ) -> Result<String> {
        let number = self.naming.number.show(nth as u64);
        let values = Values {
            input_name: &self.source.name,
            input_format: &self.source.format,
            definition: self.definition,
            format: extension,
            number: &number,
            task_id,
            ..Values::default()
        };
        Pattern::parse(object, VARIABLES)?.key(directory, &values)
    }

    /// Checks a pattern of an item's second kind of file.
    ///
    /// # Errors
    /// `InvalidParameterValue` unless it is safe and relative.
    pub fn relative(item: &Item<'_>, list: &str, name: &str, usual: &str) -> Result<String, ApiError> {
        let here = item.path(list);
        let (text, parsed) = pattern(item.value, name, usual, VARIABLES, &here)?;
        if parsed.is_absolute() {
            return Err(invalid_parameter_value(format!("{here}.{name} must be a relative path")));
        }
        Ok(text)
    }

    /// The item after defaults; `numbered` where the structure has a format of numbers.
    pub fn input(&self, item: &Value, numbered: bool) -> Value {
        let mut input = item.clone();
        input["OutputStorage"] = self.storage.clone();
        input["OutputObjectPath"] = json!(self.naming.object);
        if numbered {
            input["ObjectNumberFormat"] = item::printed(&self.naming.number);
        }
        input
    }
}
