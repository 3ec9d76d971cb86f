//! The templates: those of the build, or of a folder while somebody works on them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fs, io};

use minijinja::{Environment, UndefinedBehavior};

use super::{assets_version, moment};

/// Where the templates come from.
#[derive(Debug)]
pub(super) enum Templates {
    /// In the binary, parsed once.
    Built(Box<Environment<'static>>),
    /// Read again for every page.
    Folder(PathBuf),
}

impl Templates {
    pub fn built() -> Self {
        let mut environment = environment();
        load(&mut environment);
        Self::Built(Box::new(environment))
    }

    /// Parses the templates, if they are those of a folder.
    pub fn parsed(&self) -> Result<Cow<'_, Environment<'static>>, minijinja::Error> {
        match self {
            Self::Built(environment) => Ok(Cow::Borrowed(environment)),
            Self::Folder(folder) => {
                let mut environment = environment();
                for (name, text) in read(folder, "").map_err(|error| unreadable(folder, &error))? {
                    environment.add_template_owned(name, text)?;
                }
                Ok(Cow::Owned(environment))
            }
        }
    }
}

/// A template that uses an undefined name fails.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("moment", |at: &str| moment(at));
    environment.add_global("asset", assets_version());
    environment
}

/// The names and texts of the templates in a folder and the folders below it. Editors keep hidden files of their own.
fn read(folder: &Path, prefix: &str) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().display().to_string();
        if path.is_dir() {
            found.extend(read(&path, &format!("{prefix}{name}/"))?);
        } else if !name.starts_with('.') && path.extension().is_some_and(|extension| extension == "html") {
            found.push((format!("{prefix}{name}"), fs::read_to_string(path)?));
        }
    }
    Ok(found)
}

fn unreadable(folder: &Path, error: &io::Error) -> minijinja::Error {
    let detail = format!("{} cannot be read: {error}", folder.display());
    minijinja::Error::new(minijinja::ErrorKind::TemplateNotFound, detail)
}

#[allow(elided_lifetimes_in_paths, clippy::expect_used)] // in generated code, and checked by the build
fn load(templates: &mut Environment<'static>) {
    minijinja_embed::load_templates!(&mut *templates);
}
