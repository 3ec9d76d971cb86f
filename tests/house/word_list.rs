//! The words that the project does not use, and the word to use instead. The only file that may contain them.

use super::words::Scope::{self, Code, Module, Prose, Text, Type};

/// What is forbidden: where, a pattern, and what to write instead.
///
/// A pattern of prose or text is compared without regard to case, and word by word. A space in it also stands for a
/// hyphen, for a line break, and for the border between two words of an identifier: `last yes` finds `LastYes`,
/// `last_yes` and `last-yes`.
pub const WORDS: &[(Scope, &str, &str)] = &[
    // A request, and what is sent to a store.
    (Text, "questions?", "request, probe, check, or command (to Redis), query (to the SQL database)"),
    (Text, "visits?", "request"),
    (Prose, "what (?:is|was|were|are) asked", "the request, or the probe"),
    (Prose, "asked of (?:it|him|them|an?|the|each|every|one|both|another)", "sent to"),
    // Authentication.
    (Prose, "who (?:is |was )?ask(?:s|ed|ing)", "authenticate a request"),
    (Prose, "ask(?:s|ed|ing)? who", "authenticate"),
    (Prose, "know(?:s|n|ing)? who", "authenticate"),
    (Prose, "find(?:s|ing)? out who", "authenticate"),
    (Prose, "ask(?:s|ed|ing)? for it", "authenticate it, check it, or request it"),
    (
        Prose,
        "ask(?:s|ed|ing)? for (?:(?:an?|the|this|that|one|another|each|every|many|its) )?logins?",
        "check the login",
    ),
    // The three outcomes.
    (Prose, "(?:an?|the|one|no) yes", "accept, accepted"),
    (Prose, "yes (?:or|nor|and) (?:an? )?no", "accepted or refused"),
    (
        Prose,
        r"(?:a|the) no(?:[.,;:)]| (?:for|from|or|and|to|is|was|at|which|that|on|in|of|after|before)\b)",
        "refuse, refused",
    ),
    (Prose, "yes/no|good/dead", "accepted, refused"),
    (
        Text,
        "(?:good|dead|living) (?:logins?|tokens?|sessions?|credentials?|cookies?|records?|ids?)",
        "valid, or revoked, or expired",
    ),
    (Text, "(?:is|are|was|were|be|been) (?:good|dead)", "valid, or revoked, or expired; accepted, or refused"),
    (Text, "nobody (?:can|could) (?:say|know|tell)", "unavailable, or unknown"),
    (Text, "nobody (?:knows|knew)", "unknown, or unavailable"),
    // Revocation.
    (Text, "(?:strik(?:e|es|ing)|struck) (?:(?:it|them|a|the|login|logins|token|tokens) )*out", "revoke"),
    (Text, r"call(?:s|ed|ing)? (?:(?:it|them|a|the|login|logins|token|tokens) )*back", "revoke"),
    (Text, "(?:tak(?:e|es|en|ing)|took) (?:(?:it|them|a|the|login|logins|token|tokens) )*back", "revoke"),
    (
        Prose,
        r"ends? of (?:(?:an?|the|this|that|one|any|each|every|its|their|other|user's) )*logins?",
        "revocation, or expiry",
    ),
    (Prose, "(?:other|another|no|whose|which|these|those) ends", "revocations"),
    (Prose, "what (?:is|was) ended", "the revoked login"),
    // Expiry.
    (
        Prose,
        "(?:li(?:fe|ves)|lifetimes?|logins?|tokens?|sessions?|records?|credentials?|famil(?:y|ies)|identity) \
             (?:that )?(?:is|are|was|were|has been) over",
        "expired",
    ),
    // Staleness.
    (Text, "last yes", "staleness; the last accepted probe"),
    (Prose, "how old (?:(?:an?|the|its|that|this|may|such) )*readings?", "staleness"),
    (Prose, "old readings?", "staleness"),
    // Several processes are several nodes.
    (Prose, "(?:several|two|both|all|three|four|many|more|other|another|second|different) servers?", "node"),
    // What a store holds.
    (Type, "Facts?", "name what it describes, such as RevocationRecord; a login's entry is a record"),
    (Type, "Places?", "store, record or index"),
    // The counter.
    (Text, "cut ?offs?", "generation; a text \"is truncated\", a channel \"is cut\""),
    // The strategies.
    (Prose, "memor(?:y|ies) that (?:is|are) told", "push, or tracked copy"),
    (Prose, "chains?", "family (of refresh tokens)"),
    (Type, r"\w*Chains?", "Family"),
    // The experiments.
    (Prose, "(?:an?|the|each|every|one|this|that|no|first|last|its|of|before|after) asking", "probe, or run"),
    (Code, "asking", "probe, prober"),
    (Module, "asking", "prober"),
    (Text, "readings", "observations"),
    (Prose, "(?:an?|each|every|this|one|no|its|last|latest|first) reading", "observation"),
    (Code, "reading", "observation; for a task, name what it reads"),
    (Module, "reading", "observation"),
    (Text, "lanes?", "login (a row of the live run)"),
    (Text, "crowds?", "population"),
    (Text, "sheets?", "capacity view"),
    (Text, "survey(?:s|ed|ing)?", "name what it lists, such as the descriptions of the strategies"),
    (Code, "fn trial", "a verb, such as run_trial"),
    // Comparisons.
    (Prose, "(?:held|hold|holds|holding) (?:(?:it|them|that) )?against", "compared with; its floor, its target"),
    (Prose, "known against", "its revocation"),
    (Prose, r"means? of (?:\w+ )?turns", "mean, ratio, percentile"),
    (Prose, "found in (?:memory|the (?:memory|copy|cache|tracked copy))", "a hit"),
    // Sentences.
    (Prose, "so many", "how many, or the number itself"),
    (Prose, "such an?", "this, or name it"),
    (Prose, "of which", "begin a new sentence"),
    (Prose, "in no order", "in random order"),
    (Prose, "from which on", "after which every"),
    (Prose, r"as many \w+ as may", "the maximum number of"),
    (Prose, "(?:is|are|was|were) taken to", "we assume that"),
    (Prose, "(?:figures|build) are none", "ignore them"),
    (Prose, "watch the runs", "say what happens"),
    // Types follow the field.
    (Type, "Presented", "Credentials"),
    (Type, "Reach", "RevokeScope"),
    (Type, "Need", "Backend"),
    (Type, "Visit", "RequestContext"),
    (Type, "Site|Shared", "AppState"),
    (Type, "Parts", "Resources"),
    (Type, "Surveyed", "StrategyReadiness"),
    (Type, "Asking|Asked", "Prober, Probes"),
    (Type, "Reading", "Observation"),
    (Type, "Crowd", "Population"),
    (Type, "Lane", "LiveLogin"),
    (Module, "guard", "middleware"),
    (Module, "site", "state"),
    (Module, "parts", "resources"),
];

/// Where a word stays: a file or folder (empty: everywhere), the text around the word, and why.
pub const ALLOWED: &[(&str, &str, &str)] = &[
    ("", "cut_offs", "the name of a table of the database, which migrations do not rename"),
    ("src/auth/", "fn visit_", "a method of serde's `Visitor`"),
    ("tests/house/", "visit", "syn's way through a file: `syn::visit`, `visit_file`"),
    ("tests/house/", "Visit", "the trait of `syn::visit`"),
    ("Cargo.toml", "\"visit\"", "a feature of syn"),
    ("src/account/hasher.rs", "lane", "argon2's word for a unit of parallel work"),
    ("", "style sheet", "a file of CSS"),
    ("", "certificate chain", "as in X.509"),
    ("", "clock reading", "the usual word for what a clock shows"),
];
