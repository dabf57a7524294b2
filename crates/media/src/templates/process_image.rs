//! Templates of picture processing.
//!
//! Checked is what the API gives a range or a list of words; prompts and other free texts are stored as they come.

use std::cmp::Reverse;

use mps_wire::ApiError;
use mps_wire::codes::value_of;
use serde_json::{Value, json};

use super::rules::{self, Rule, items, json_text, number, switch, text_at, whole, word};
use super::{FIRST_OWN, Family, Template, listed};
use crate::presets::Preset;

/// The family.
#[derive(Debug, Clone, Copy)]
pub struct ProcessImage;

/// Where requests have what listings call `ProcessImageConfig`.
const CONFIG: &str = "ProcessImageTemplate";

/// As the API's text spells them, and as its examples do.
const FORMATS: &[&str] = &["JPEG", "PNG", "BMP", "WebP", "jpeg", "png", "bmp", "webp"];
const STRENGTHS: &[&str] = &["weak", "normal", "strong"];
const RESOLUTIONS: &[&str] = &["1K", "2K", "4K"];

const RULES: &[Rule] = &[
    word("EncodeConfig.Format", FORMATS).code("Format"),
    whole("EncodeConfig.Quality", 1, 100),
    switch("EnhanceConfig.SuperResolution.Switch"),
    word("EnhanceConfig.SuperResolution.Type", &["lq", "hq"]),
    whole("EnhanceConfig.SuperResolution.Size", 2, 2),
    switch("EnhanceConfig.AdvancedSuperResolutionConfig.Switch"),
    word("EnhanceConfig.AdvancedSuperResolutionConfig.Type", &["standard", "super", "ultra"]),
    word("EnhanceConfig.AdvancedSuperResolutionConfig.Mode", &["aspect", "fixed", "percent"]),
    whole("EnhanceConfig.AdvancedSuperResolutionConfig.Width", 0, 4096),
    whole("EnhanceConfig.AdvancedSuperResolutionConfig.Height", 0, 4096),
    whole("EnhanceConfig.AdvancedSuperResolutionConfig.LongSide", 0, 4096),
    whole("EnhanceConfig.AdvancedSuperResolutionConfig.ShortSide", 0, 4096),
    switch("EnhanceConfig.Denoise.Switch"),
    word("EnhanceConfig.Denoise.Type", &["weak", "strong"]),
    switch("EnhanceConfig.ImageQualityEnhance.Switch"),
    word("EnhanceConfig.ImageQualityEnhance.Type", STRENGTHS),
    switch("EnhanceConfig.ColorEnhance.Switch"),
    word("EnhanceConfig.ColorEnhance.Type", STRENGTHS),
    switch("EnhanceConfig.SharpEnhance.Switch"),
    number("EnhanceConfig.SharpEnhance.Intensity", 0.0, 1.0),
    switch("EnhanceConfig.FaceEnhance.Switch"),
    number("EnhanceConfig.FaceEnhance.Intensity", 0.0, 1.0),
    switch("EnhanceConfig.LowLightEnhance.Switch"),
    word("EnhanceConfig.LowLightEnhance.Type", &["normal"]),
    switch("EraseConfig.ImageEraseLogo.Switch"),
    items("EraseConfig.ImageEraseLogo.ImageAreaBoxes", 0, 16),
    word("EraseConfig.ImageEraseLogo.ImageAreaBoxes.Type", &["logo", "text"]),
    whole("EraseConfig.ImageEraseLogo.ImageAreaBoxes.BoundingBoxUnitType", 0, 2),
    whole("EraseConfig.ImageEraseLogo.ImageAreaBoxes.AreaCoordSet", 0, 4096),
    word("EraseConfig.ImageEraseLogo.DetectTypes", &["logo", "text", "watermark"]),
    word("EraseConfig.ImageEraseLogo.EraseStrength", &["low", "mid", "high"]),
    word(
        "EraseConfig.ImageEraseLogo.WatermarkType",
        &["corner_watermark", "tiled_watermark", "auto_detect_type", "selected_watermark"],
    ),
    switch("BlindWatermarkConfig.AddBlindWatermark.Switch"),
    switch("BlindWatermarkConfig.ExtractBlindWatermark.Switch"),
    switch("BlindWatermarkConfig.RemoveBlindWatermark.Switch"),
    word("BeautyConfig.Type", &["auto"]),
    word("BeautyConfig.BeautyEffectItems.Type", EFFECTS),
    switch("BeautyConfig.BeautyEffectItems.Switch"),
    whole("BeautyConfig.BeautyEffectItems.Value", 0, 100),
    word("BeautyConfig.BeautyFilterItems.Type", &["Dongjing", "Qingjiaopian", "Meiwei"]),
    switch("BeautyConfig.BeautyFilterItems.Switch"),
    whole("BeautyConfig.BeautyFilterItems.Value", -100, 100),
    switch("TransformConfig.ImageResize.Switch"),
    word("TransformConfig.ImageResize.Mode", &["percent", "mfit", "lfit", "fill", "pad", "fixed"]),
    number("TransformConfig.ImageResize.Percent", 0.1, 10.0),
    whole("TransformConfig.ImageResize.Width", 1, 16_384),
    whole("TransformConfig.ImageResize.Height", 1, 16_384),
    whole("TransformConfig.ImageResize.LongSide", 1, 16_384),
    whole("TransformConfig.ImageResize.ShortSide", 1, 16_384),
    word("AiTryOnConfig.Model", &["tryon-1.0-lite", "tryon-1.0-flash", "tryon-1.0-pro"]),
    word("AiTryOnConfig.Resolution", RESOLUTIONS),
    word("AiPosterSuiteConfig.Mode", &["auto", "modify"]),
    word("AiPosterSuiteConfig.Recipe.Theme", &["hero", "detail", "selling", "atmosphere", "angles", "scene"]),
    whole("AiPosterSuiteConfig.Recipe.Num", 1, 4),
    word("AiPosterSuiteConfig.Language", &["zh-CN", "en-US"]),
    word("AiPosterSuiteConfig.PanelRatio", &["1:1", "3:4", "4:3", "9:16", "16:9"]),
    word("AiPosterSuiteConfig.PanelResolution", &["720", "1K", "2K", "4K"]),
    word("AiPosterSuiteConfig.Model", &["suite-1.0-flash"]),
    word("CreateImageConfig.Model", &["scene-image-lite"]),
    word("CreateImageConfig.Resolution", RESOLUTIONS),
    word("CreateImageConfig.AspectRatio", &["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9"]),
    switch("AiCutoutConfig.Switch"),
    word("AiCutoutConfig.Type", &["foreground", "pattern"]),
    word("AiCutoutConfig.Model", &["cutout-1.0-lite", "cutout-1.0-flash"]),
    whole("AiCutoutConfig.PatternConfig.TransparencyThreshold", 0, 255),
    whole("AiCutoutConfig.PatternConfig.OpaqueThreshold", 0, 255),
    whole("AiCutoutConfig.PatternConfig.EdgeSamplingStep", 1, 10),
    number("AiCutoutConfig.PatternConfig.EdgeBlendingIntensity", 0.0, 1.0),
    switch("AiExpansionConfig.Switch"),
    whole("AiExpansionConfig.Width", 0, 2048),
    whole("AiExpansionConfig.Height", 0, 2048),
    switch("AiStoryboardConfig.Switch"),
    word(
        "UnderstandImageConfig.Model",
        &["understand-1.0-lite", "understand-1.0-flash", "understand-1.0-pro"],
    ),
    json_text("UnderstandImageConfig.Parameters"),
    word("ImageQualityConfig.Attributes", &["Brightness", "Contrast", "Sharpness", "IQA"]),
    switch("AiComposeConfig.Switch"),
    word("AiComposeConfig.Model", &["compose-1.0-lite"]),
    whole("AiComposeConfig.Canvas.Width", 1, 10_240),
    whole("AiComposeConfig.Canvas.Height", 1, 10_240),
    items("AiComposeConfig.Layers", 1, 20),
    items("AiComposeConfig.Layers.BoundingBox", 4, 4),
    whole("AiComposeConfig.Layers.BoundingBoxUnitType", 0, 2),
    switch("AiDecomposeConfig.Switch"),
    whole("AiDecomposeConfig.Layers", 2, 17),
    word("AiDecomposeConfig.Model", &["decompose-1.0-flash"]),
];

const EFFECTS: &[&str] = &[
    "Whiten",
    "BlackAlpha1",
    "BlackAlpha2",
    "FoundationAlpha2",
    "Clear",
    "Sharpen",
    "Smooth",
    "BeautyThinFace",
    "NatureFace",
    "VFace",
    "EnlargeEye",
    "EyeLighten",
    "RemoveEyeBags",
    "ThinNose",
    "RemoveLawLine",
    "CheekboneThin",
    "FaceFeatureLipsLut",
    "ToothWhiten",
    "FaceFeatureSoftlight",
    "Makeup",
];

impl Family for ProcessImage {
    fn name(&self) -> &'static str {
        "process_image"
    }

    fn first_definition(&self) -> i64 {
        FIRST_OWN
    }

    fn list_member(&self) -> &'static str {
        "ProcessImageTemplateSet"
    }

    /// No document names one.
    fn presets(&self) -> Vec<Preset> {
        Vec::new()
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        rules::check(body, &[json_text("StdExtInfo")])?;
        let config = &body[CONFIG];
        rules::check(config, RULES)?;
        let pattern = &config["AiCutoutConfig"]["PatternConfig"];
        let clear = pattern["TransparencyThreshold"].as_i64().unwrap_or(30);
        let opaque = pattern["OpaqueThreshold"].as_i64().unwrap_or(127);
        if pattern.is_object() && opaque <= clear {
            let told = format!(
                "AiCutoutConfig.PatternConfig.OpaqueThreshold is {opaque}; it must be more than \
                 TransparencyThreshold, which is {clear}"
            );
            return Err(value_of("OpaqueThreshold", told));
        }
        check_suite(&config["AiPosterSuiteConfig"])
    }

    fn check_filters(&self, request: &Value) -> Result<(), ApiError> {
        rules::check(request, &[whole("OrderType", 0, 1), word("OrderBy", &["Definition"])])
    }

    fn sort(&self, all: &mut [Template], request: &Value) {
        match (text_at(request, "OrderBy"), request["OrderType"].as_i64()) {
            ("Definition", Some(1)) => all.sort_by_key(|template| Reverse(template.definition)),
            ("Definition", _) => all.sort_by_key(|template| template.definition),
            _ => {}
        }
    }

    fn item(&self, template: &Template) -> Value {
        let mut item = listed(template, json!({}));
        // The API stores extra parameters and does not list them.
        if let Some(members) = item.as_object_mut() {
            members.remove("StdExtInfo");
            let config = members.remove(CONFIG).unwrap_or_default();
            members.insert("ProcessImageConfig".to_owned(), config);
        }
        item
    }
}

/// The pictures of a suite are 4 to 12, and in the mode `modify` there are no variables.
fn check_suite(suite: &Value) -> Result<(), ApiError> {
    if let Some(recipe) = suite["Recipe"].as_array().filter(|recipe| !recipe.is_empty()) {
        let count: i64 = recipe.iter().filter_map(|item| item["Num"].as_i64()).sum();
        if !(4..=12).contains(&count) {
            let told = format!("AiPosterSuiteConfig.Recipe asks for {count} pictures; it must be 4 to 12");
            return Err(value_of("Recipe", told));
        }
    }
    if suite["Mode"] == "modify" && suite["CustomVariables"].as_array().is_some_and(|list| !list.is_empty()) {
        let told = "AiPosterSuiteConfig.CustomVariables do not go with the mode modify";
        return Err(value_of("CustomVariables", told));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::testing::{check_cases, stored};

    #[test]
    fn members_have_their_ranges() {
        let config = json!({
            "EncodeConfig": {}, "EnhanceConfig": {"SharpEnhance": {}, "Denoise": {}},
            "TransformConfig": {"ImageResize": {}}, "AiCutoutConfig": {"PatternConfig": {}},
            "EraseConfig": {"ImageEraseLogo": {}}, "AiDecomposeConfig": {}, "BeautyConfig": {},
            "AiPosterSuiteConfig": {},
        });
        let at = |path: &str| format!("ProcessImageTemplate/{path}");
        let suite = |num: u32, count: usize| json!(vec![json!({"Theme": "hero", "Num": num}); count]);
        check_cases(
            &ProcessImage,
            &json!({"ProcessImageTemplate": config}),
            &[
                (
                    &at("EncodeConfig/Format"),
                    &[json!("WebP"), json!("jpeg"), json!("")],
                    &[json!("Jpeg"), json!("GIF")],
                    "Format",
                ),
                (&at("EncodeConfig/Quality"), &[json!(1), json!(100)], &[json!(0), json!(101)], "Quality"),
                (&at("EnhanceConfig/SharpEnhance/Intensity"), &[json!(0), json!(1.0)], &[json!(1.1)], ""),
                (&at("EnhanceConfig/Denoise/Type"), &[json!("weak")], &[json!("normal")], "Type"),
                (&at("EnhanceConfig/Denoise/Switch"), &[json!("OFF")], &[json!("no")], "Switch"),
                (&at("TransformConfig/ImageResize/Percent"), &[json!(0.1), json!(10)], &[json!(0.05)], ""),
                (&at("TransformConfig/ImageResize/Width"), &[json!(16_384)], &[json!(16_385)], "Width"),
                (
                    &at("AiCutoutConfig/PatternConfig/OpaqueThreshold"),
                    &[json!(31)],
                    &[json!(30), json!(256)],
                    "",
                ),
                (
                    &at("EraseConfig/ImageEraseLogo/ImageAreaBoxes"),
                    &[json!([])],
                    &[json!(vec![json!({}); 17])],
                    "",
                ),
                (&at("AiDecomposeConfig/Layers"), &[json!(2), json!(17)], &[json!(1), json!(18)], ""),
                (
                    &at("AiPosterSuiteConfig/Recipe"),
                    &[suite(4, 3), suite(2, 2)],
                    &[suite(1, 3), suite(4, 4)],
                    "",
                ),
            ],
        );
        let extra = |text: &str| ProcessImage.check(&json!({"StdExtInfo": text})).is_ok();
        assert!(extra("{}") && extra("") && !extra("{"));
    }

    #[test]
    fn the_listing_has_another_word_for_the_configuration() {
        let request = json!({"ProcessImageTemplate": {"EncodeConfig": {"Quality": 80}}, "StdExtInfo": "{}"});
        let item = ProcessImage.item(&stored(&ProcessImage, &request));
        assert_eq!(item["ProcessImageConfig"], request["ProcessImageTemplate"]);
        assert!(item["ProcessImageTemplate"].is_null() && item["StdExtInfo"].is_null());
    }

    #[test]
    fn a_listing_can_be_turned_around() {
        let mut all: Vec<Template> = (1..=3)
            .map(|definition| Template {
                definition,
                ..stored(&ProcessImage, &json!({"ProcessImageTemplate": {}}))
            })
            .collect();
        ProcessImage.sort(&mut all, &json!({"OrderBy": "Definition", "OrderType": 1}));
        assert_eq!(all[0].definition, 3);
        ProcessImage.sort(&mut all, &json!({"OrderBy": "Definition"}));
        assert_eq!(all[0].definition, 1);
    }
}
