//! The sliders of the form: the conditions of a run.

use std::time::Duration;

use serde_json::{Value, json};

use crate::labs::cost::{COOKIE_LIMIT, Conditions};
use crate::units::grouped;

/// A slider, in whole steps.
struct Slider {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    most: u32,
    step: u32,
    default: u32,
    /// The value in words.
    words: fn(u32) -> String,
}

const SLIDERS: [Slider; 4] = [
    Slider {
        name: "delay",
        label: "Delay per store call",
        hint: "Without it, loopback flatters strategies that call a store.",
        most: 5,
        step: 1,
        default: 0,
        words: |ms| format!("{ms} ms"),
    },
    Slider {
        name: "tens",
        label: "Logins stored",
        hint: "By strategies that store logins.",
        most: 4,
        step: 1,
        default: 3,
        words: |tens| grouped(10_f64.powi(i32::try_from(tens).unwrap_or(4))),
    },
    Slider {
        name: "hit_rate",
        label: "Cache hit rate",
        hint: "The share of session-tracked checks that the node answers from its memory.",
        most: 100,
        step: 10,
        default: 100,
        words: |percent| format!("{percent} %"),
    },
    Slider {
        name: "claims",
        label: "Name length",
        hint: "The user’s name is in the claims of every token. Browsers keep cookies of 4,096 bytes.",
        most: 4096,
        step: 256,
        default: 0,
        words: |bytes| if bytes == 0 { "as it is".to_owned() } else { format!("{} bytes", grouped(f64::from(bytes))) },
    },
];

const _: () = assert!(COOKIE_LIMIT == 4096, "the slider ends there and says so");

/// A value that a slider does not have.
#[derive(Debug, thiserror::Error)]
#[error("{label}: choose a number from 0 to {most}, in steps of {step}.")]
pub(super) struct SliderError {
    label: &'static str,
    most: u32,
    step: u32,
}

/// The values as they were sent.
pub(super) struct Sliders([String; 4]);

impl Default for Sliders {
    fn default() -> Self {
        Self(SLIDERS.map(|slider| slider.default.to_string()))
    }
}

impl Sliders {
    /// A missing field has its default value.
    pub fn read(body: &[u8]) -> Self {
        let mut sliders = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            if let Some(place) = SLIDERS.iter().position(|slider| slider.name == name) {
                sliders.0[place] = value.into_owned();
            }
        }
        sliders
    }

    pub fn conditions(&self) -> Result<Conditions, SliderError> {
        let [delay, tens, hit_rate, claims] = [self.value(0)?, self.value(1)?, self.value(2)?, self.value(3)?];
        Ok(Conditions {
            delay: Duration::from_millis(delay.into()),
            logins: 10_usize.pow(tens),
            hit_rate: u8::try_from(hit_rate).unwrap_or(100),
            claim_bytes: claims as usize,
        })
    }

    fn value(&self, place: usize) -> Result<u32, SliderError> {
        let Slider { label, most, step, .. } = SLIDERS[place];
        let typed = self.0[place].parse().ok().filter(|value| *value <= most && value % step == 0);
        typed.ok_or(SliderError { label, most, step })
    }

    pub fn view(&self) -> Vec<Value> {
        let slider = |(place, slider): (usize, &Slider)| {
            let value = self.value(place).unwrap_or(slider.default);
            let all: Vec<_> = (0..=slider.most / slider.step).map(|step| (slider.words)(step * slider.step)).collect();
            json!({
                "name": slider.name, "label": slider.label, "hint": slider.hint, "most": slider.most,
                "step": slider.step, "value": value, "words": (slider.words)(value), "all": all,
                "first": all.first(), "last": all.last(),
            })
        };
        SLIDERS.iter().enumerate().map(slider).collect()
    }
}
