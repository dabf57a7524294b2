//! Which region texts a call, a bucket or an output may carry.
//!
//! A self-hosted server has one region of its own, but clients are configured with the cloud's names and
//! with whatever text their operator chose. A text is good when it is the server's own region, an alias the
//! operator gave, or one of the cloud's public regions; anything else is refused by name.

use std::collections::BTreeMap;

/// The cloud's public regions, sorted.
const PUBLIC: &[&str] = &[
    "ap-bangkok",
    "ap-beijing",
    "ap-beijing-fsi",
    "ap-changsha-ec",
    "ap-chengdu",
    "ap-chongqing",
    "ap-fuzhou-ec",
    "ap-guangzhou",
    "ap-guangzhou-open",
    "ap-hangzhou-ec",
    "ap-hefei-ec",
    "ap-hongkong",
    "ap-jakarta",
    "ap-jinan-ec",
    "ap-mumbai",
    "ap-nanjing",
    "ap-osaka",
    "ap-qingyuan",
    "ap-seoul",
    "ap-shanghai",
    "ap-shanghai-fsi",
    "ap-shenyang-ec",
    "ap-shenzhen",
    "ap-shenzhen-fsi",
    "ap-shijiazhuang-ec",
    "ap-singapore",
    "ap-taipei",
    "ap-tianjin",
    "ap-tokyo",
    "ap-wuhan-ec",
    "ap-xian-ec",
    "ap-zhengzhou-ec",
    "eu-frankfurt",
    "eu-moscow",
    "me-saudi-arabia",
    "na-ashburn",
    "na-siliconvalley",
    "na-toronto",
    "sa-saopaulo",
];

/// The server's own region and the other names by which regions may be called.
#[derive(Debug, Clone)]
pub struct Regions {
    own: String,
    aliases: BTreeMap<String, String>,
}

impl Regions {
    /// `own` is where buckets are made when nothing else is said; `aliases` maps a text to the region it means.
    pub fn new(own: impl Into<String>, aliases: BTreeMap<String, String>) -> Self {
        Self { own: own.into(), aliases }
    }

    /// The server's own region.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// The region that a text means, or `None` when nobody knows it.
    pub fn resolve<'a>(&'a self, text: &'a str) -> Option<&'a str> {
        if let Some(meant) = self.aliases.get(text) {
            return Some(meant);
        }
        let known = text == self.own
            || PUBLIC.binary_search(&text).is_ok()
            || self.aliases.values().any(|region| region == text);
        known.then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions() -> Regions {
        let alias = ("ap-guangzhou-2".to_owned(), "ap-guangzhou".to_owned());
        Regions::new("rack-7", BTreeMap::from([alias]))
    }

    #[test]
    fn the_public_list_is_sorted() {
        assert!(PUBLIC.is_sorted());
    }

    #[test]
    fn an_alias_means_its_region() {
        assert_eq!(regions().resolve("ap-guangzhou-2"), Some("ap-guangzhou"));
    }

    #[test]
    fn the_servers_own_and_public_regions_mean_themselves() {
        assert_eq!(regions().resolve("rack-7"), Some("rack-7"));
        assert_eq!(regions().resolve("ap-tokyo"), Some("ap-tokyo"));
    }

    #[test]
    fn an_unknown_text_means_nothing() {
        for text in ["", "mars-north", "AP-TOKYO", "ap-guangzhou-3"] {
            assert_eq!(regions().resolve(text), None, "{text}");
        }
    }
}
