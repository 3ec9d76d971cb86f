//! `docs/tenth-strategy.md` shows the code that these tests compile and run.

use std::fs;
use std::path::Path;

/// The code blocks of the walk-through, in order.
fn code_blocks() -> Vec<String> {
    let text = read("docs/tenth-strategy.md");
    text.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file")
}

/// Three blocks: the strategy, the line that declares its module, and its line in the list.
pub fn the_walk_through_shows_the_tested_code() {
    let [strategy, module, line] = &code_blocks()[..] else { panic!("the walk-through has three blocks of Rust") };
    assert_eq!(*strategy, read("tests/tenth_strategy/sealed_cookie.rs"));
    assert!(read("tests/tenth_strategy.rs").contains(module.trim()), "{module}");
    assert!(read("tests/tenth_strategy/entry.rs").contains(line.trim()), "{line}");
}
