//! docker-compose.yml: every service is confined, every image has an exact version, and no password is in the file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::inputs::repository_text;

/// The numbers that make a version exact: a tag with fewer of them moves to the next release.
const VERSION_NUMBERS: [(&str, usize); 4] = [("redis", 3), ("postgres", 2), ("rust", 3), ("debian", 2)];

/// A service, with `$$` written as the `$` that the container gets.
pub struct Service(Value);

pub fn services() -> BTreeMap<String, Service> {
    let file: Value = serde_yaml::from_str(&repository_text("docker-compose.yml")).expect("YAML");
    let services = file["services"].as_object().expect("services");
    services.iter().map(|(name, service)| (name.clone(), Service(service.clone()))).collect()
}

pub fn service(name: &str) -> Service {
    services().remove(name).unwrap_or_else(|| panic!("the service {name}"))
}

impl Service {
    /// A list of texts; a missing one is empty.
    pub fn list(&self, name: &str) -> Vec<String> {
        let texts = self.0[name].as_array().into_iter().flatten();
        texts.map(|text| unescaped(text.as_str().unwrap_or_else(|| panic!("{name}: {text} is a text")))).collect()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.0[name].as_str().map(unescaped)
    }

    pub fn environment(&self) -> BTreeMap<String, String> {
        let pairs = self.0["environment"].as_object().into_iter().flatten();
        pairs.map(|(name, value)| (name.clone(), unescaped(value.as_str().expect("a text")))).collect()
    }

    /// The text that the container's shell runs to check its health.
    pub fn health_check(&self) -> Option<String> {
        let test = self.0["healthcheck"]["test"].as_array()?;
        assert_eq!(test[0], "CMD-SHELL");
        test[1].as_str().map(unescaped)
    }

    /// The services that start first, each with what this one waits for.
    fn waits_for(&self) -> BTreeMap<String, String> {
        let services = self.0["depends_on"].as_object().into_iter().flatten();
        let condition = |it: &Value| it["condition"].as_str().expect("a condition").to_owned();
        services.map(|(name, it)| (name.clone(), condition(it))).collect()
    }
}

/// A lone `$` would be a variable of the machine that runs Docker.
fn unescaped(text: &str) -> String {
    assert!(!text.replace("$$", "").contains('$'), "a $ that is not doubled: {text}");
    text.replace("$$", "$")
}

/// Whether the tag names one release of the image and of the system below it.
fn is_exact(image: &str) -> bool {
    let Some((name, tag)) = image.split_once(':') else { return false };
    let (version, system) = tag.split_once('-').unwrap_or((tag, ""));
    let numbers = version.split('.').filter(|number| number.parse::<u32>().is_ok()).count();
    let expected = VERSION_NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, numbers)| *numbers);
    let system_is_exact = !system.starts_with("alpine") || system.contains('.');
    expected == Some(numbers) && version.split('.').count() == numbers && system_is_exact
}

#[test]
fn every_service_is_confined() {
    for (name, service) in services() {
        assert_eq!(service.0["read_only"], true, "{name}: its own files stay as the image has them");
        assert_eq!(service.list("cap_drop"), ["ALL"], "{name}");
        assert!(service.list("security_opt").contains(&"no-new-privileges:true".to_owned()), "{name}");
        for weakening in ["cap_add", "privileged", "devices", "pid", "ipc", "extra_hosts"] {
            assert!(service.0[weakening].is_null(), "{name}: {weakening}");
        }
        assert_ne!(service.text("network_mode").as_deref(), Some("host"), "{name}");
        for port in service.list("ports") {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is open to other machines");
        }
        assert!(service.list("ports").is_empty() || name == "server", "{name}: only the server has a port");
    }
}

#[test]
fn every_image_has_an_exact_version() {
    for (name, service) in services() {
        let image = service.text("image").expect("an image");
        assert!(!service.0["build"].is_null() || is_exact(&image), "{name}: {image} moves to other versions");
    }
    for line in repository_text("Dockerfile").lines() {
        let Some(image) = line.strip_prefix("FROM ").and_then(|from| from.split(' ').next()) else { continue };
        assert!(is_exact(image), "Dockerfile: {image} moves to other versions");
    }
    for moving in ["redis", "redis:8-alpine", "redis:8.2-alpine3.22", "redis:8.2.3-alpine", "postgres:17-alpine3.22"] {
        assert!(!is_exact(moving), "{moving}");
    }
}

#[test]
fn no_password_is_in_the_file() {
    for (name, service) in services() {
        for (variable, value) in service.environment() {
            let names_secret = ["PASSWORD", "SECRET", "TOKEN", "AUTH"].iter().any(|word| variable.contains(word));
            let is_path = variable.ends_with("_FILE") && value.starts_with('/');
            assert!(!names_secret || is_path, "{name}: {variable} is a secret");
            let user = value.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map(|(user, _)| user);
            assert!(!user.is_some_and(|user| user.contains(':')), "{name}: {variable} has a password");
        }
        let words = [service.list("command"), service.list("entrypoint")].concat();
        for option in ["requirepass", "--pass", "-a"] {
            assert!(!words.iter().any(|word| word.trim_start_matches('-') == option.trim_start_matches('-')), "{name}");
        }
    }
}

/// `docker compose up` after `git clone` is all: the file needs no variable, and no file of the repository.
#[test]
fn nothing_has_to_be_written_first() {
    let file: Value = serde_yaml::from_str(&repository_text("docker-compose.yml")).expect("YAML");
    // A container that cannot change its files gets no `configs` or `secrets` either: Compose copies them in.
    assert!(file["secrets"].is_null() && file["configs"].is_null());
    let volumes = file["volumes"].as_object().expect("volumes");
    for (name, service) in services() {
        assert!(service.0["env_file"].is_null(), "{name}");
        for volume in service.list("volumes") {
            let source = volume.split(':').next().unwrap_or_default();
            assert!(volumes.contains_key(source), "{name}: {source} is no volume");
        }
    }
}

/// A service that ends by itself has no health check: the others wait for its exit status.
#[test]
fn every_service_starts_after_what_it_needs() {
    let services = services();
    let is_checked = |it: &Service| it.health_check().is_some() || !it.0["build"].is_null();
    let once: Vec<_> = services.iter().filter(|(_, it)| !is_checked(it)).map(|(name, _)| name).collect();
    assert_eq!(once, ["passwords"], "the Dockerfile has the server's health check");
    assert!(repository_text("Dockerfile").contains("\nHEALTHCHECK "));
    for (name, service) in &services {
        for (first, condition) in service.waits_for() {
            let expected = if first == "passwords" { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(condition, expected, "{name} after {first}");
        }
    }
    let first = |name: &str| services[name].waits_for().into_keys().collect::<Vec<_>>();
    assert_eq!(first("server"), ["postgres", "redis"]);
    assert_eq!(first("postgres"), ["passwords"]);
    assert_eq!(first("redis"), ["passwords"]);
}

/// Each password is in the containers of two services.
#[test]
fn a_store_sees_no_password_of_another() {
    let readers = |volume: &str| -> Vec<String> {
        let mounts = |it: &Service| it.list("volumes").iter().any(|mount| mount.starts_with(volume));
        services().into_iter().filter(|(_, it)| mounts(it)).map(|(name, _)| name).collect()
    };
    assert_eq!(readers("redis-password:"), ["passwords", "redis", "server"]);
    assert_eq!(readers("postgres-password:"), ["passwords", "postgres", "server"]);
    for name in ["redis", "postgres", "server"] {
        for mount in service(name).list("volumes").iter().filter(|mount| mount.contains("-password:")) {
            assert!(mount.ends_with(":ro"), "{name}: {mount}");
        }
    }
}
