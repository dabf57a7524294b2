//! Reading a list of activities as a graph.

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, missing_parameter, unsupported_operation};
use serde_json::{Value, json};

use crate::features::{self, Feature};

/// The most activities of one orchestration; ours, as the API names no limit.
pub const MOST: usize = 100;

const INPUT: &str = "input";
const OUTPUT: &str = "output";

/// Activities that the API knows and this server does not do yet: word, and member of `ActivityPara`.
const UNBUILT: &[(&str, &str)] = &[
    ("action-AIAnalysis", "AiAnalysisTask"),
    ("action-AIRecognition", "AiRecognitionTask"),
    ("action-aiReview", "AiContentReviewTask"),
    ("action-AIQualityControl", "QualityControlTask"),
    ("action-SmartSubtitles", "SmartSubtitlesTask"),
    ("action-exec-rules", "ExecRulesTask"),
    ("action-SmartErase", "SmartEraseTask"),
];

/// A checked graph: what is to be done, each after what it reads from.
#[derive(Debug, Clone)]
pub struct Graph<'a> {
    /// The activities between input and output; each comes after its parent.
    pub nodes: Vec<Node<'a>>,
}

/// One activity that does something.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// Its place in the caller's list.
    pub place: usize,
    /// What it does.
    pub feature: &'static dyn Feature,
    /// Its item, as in a list of `MediaProcessTask`.
    pub item: &'a Value,
    /// The node before it, by its place in [`Graph::nodes`]; `None` after the input.
    pub parent: Option<usize>,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.place, self.feature.words().activity)
    }
}

impl Node<'_> {
    /// Where its item stands in the request.
    pub fn path(&self) -> String {
        format!("Activities.{}.ActivityPara.{}", self.place, self.feature.words().member)
    }
}

/// Reads `Activities`.
///
/// # Errors
/// `MissingParameter` without activities, `InvalidParameterValue` for a graph that is none: an unknown activity, an
/// index out of range, a cycle, an activity that is reached never or from two others. `UnsupportedOperation` for
/// activities that are not built.
pub fn read(activities: &Value) -> Result<Graph<'_>, ApiError> {
    let list = activities.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return Err(missing_parameter("`Activities` names no activity"));
    }
    if list.len() > MOST {
        return Err(invalid_parameter_value(format!(
            "`Activities` has at most {MOST} activities, not {}",
            list.len()
        )));
    }
    let only = |word: &str| -> Result<Option<usize>, ApiError> {
        let mut found = (0..list.len()).filter(|at| list[*at]["ActivityType"] == word);
        let first = found.next();
        match found.next() {
            Some(second) => Err(wrong(second, &format!("there is a second `{word}`"))),
            None => Ok(first),
        }
    };
    let input = only(INPUT)?.ok_or_else(|| {
        invalid_parameter_value(format!("`Activities` has no activity of the type `{INPUT}`"))
    })?;
    only(OUTPUT)?;
    let parents = parents(list)?;
    let mut nodes = Vec::new();
    // Each activity has one parent, so what cannot be reached from the input hangs on nothing or on itself.
    let mut reached = vec![None; list.len()];
    let mut line = std::collections::VecDeque::from([(input, None)]);
    while let Some((at, parent)) = line.pop_front() {
        reached[at] = Some(());
        let own = match node(at, &list[at], parent)? {
            Some(node) => {
                nodes.push(node);
                Some(nodes.len() - 1)
            }
            None => parent,
        };
        let children = (0..list.len()).filter(|child| parents[*child] == Some(at));
        line.extend(children.map(|child| (child, own)));
    }
    if let Some(lost) =
        (0..list.len()).find(|at| reached[*at].is_none() && list[*at]["ActivityType"] != OUTPUT)
    {
        return Err(wrong(lost, "it is never reached from the input"));
    }
    if nodes.is_empty() {
        return Err(missing_parameter("`Activities` names nothing to do between input and output"));
    }
    Ok(Graph { nodes })
}

/// Before each activity, the one that leads to it; the output may be led to by many, which is of no consequence.
fn parents(list: &[Value]) -> Result<Vec<Option<usize>>, ApiError> {
    let mut parents = vec![None; list.len()];
    for (at, activity) in list.iter().enumerate() {
        let word = activity["ActivityType"].as_str().unwrap_or_default();
        for (nth, child) in rears(at, activity, list.len())?.into_iter().enumerate() {
            let here = format!("`Activities.{at}.ReardriveIndex.{nth}`");
            let kind = list[child]["ActivityType"].as_str().unwrap_or_default();
            if word == OUTPUT {
                return Err(wrong(at, "nothing comes after the output"));
            }
            if kind == INPUT {
                return Err(invalid_parameter_value(format!("{here} leads back to the input")));
            }
            if kind == OUTPUT {
                continue;
            }
            if let Some(other) = parents[child].filter(|_| child != at) {
                return Err(invalid_parameter_value(format!(
                    "{here} leads to activity {child}, to which activity {other} leads already: it can read one medium \
                     only"
                )));
            }
            parents[child] = Some(at);
        }
    }
    Ok(parents)
}

/// `ReardriveIndex`, in range.
fn rears(at: usize, activity: &Value, count: usize) -> Result<Vec<usize>, ApiError> {
    let list = activity["ReardriveIndex"].as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |(nth, index): (usize, &Value)| {
        let index = index.as_i64().unwrap_or(-1);
        usize::try_from(index).ok().filter(|index| *index < count).ok_or_else(|| {
            invalid_parameter_value(format!(
                "`Activities.{at}.ReardriveIndex.{nth}` is {index}; the activities are 0 to {}",
                count - 1
            ))
        })
    };
    list.iter().enumerate().map(read).collect()
}

/// What activity `at` does; `None` for input and output.
fn node(at: usize, activity: &Value, parent: Option<usize>) -> Result<Option<Node<'_>>, ApiError> {
    let word = activity["ActivityType"].as_str().unwrap_or_default();
    let para = &activity["ActivityPara"];
    let given =
        || para.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(name, _)| name);
    if word == INPUT {
        return match given().next() {
            Some(name) => Err(wrong(at, &format!("`ActivityPara.{name}` does not belong to an `{word}`"))),
            None => Ok(None),
        };
    }
    let Some(feature) = features::ALL.iter().copied().find(|feature| feature.words().activity == word) else {
        return Err(match UNBUILT.iter().find(|(unbuilt, _)| *unbuilt == word) {
            Some((_, member)) => unsupported_operation(format!(
                "the parameter `Activities.ActivityPara.{member}` is not supported by this server: activities of the \
                 type {word} are not built yet (activity {at})"
            )),
            None => wrong(at, &format!("there is no `ActivityType` {word:?}")),
        });
    };
    let member = feature.words().member;
    if let Some(name) = given().find(|name| *name != member) {
        return Err(wrong(
            at,
            &format!("`ActivityPara.{name}` does not belong to {word}, which takes `{member}`"),
        ));
    }
    match &para[member] {
        Value::Null => Err(missing_parameter(format!("`Activities.{at}.ActivityPara.{member}` is required"))),
        item => Ok(Some(Node { place: at, feature, item, parent })),
    }
}

fn wrong(at: usize, why: &str) -> ApiError {
    invalid_parameter_value(format!("`Activities.{at}`: {why}"))
}

/// The activities with `PredriveIndex` as it follows from `ReardriveIndex`; what a caller sends there is not used.
pub fn with_fronts(activities: &Value) -> Value {
    let mut told = activities.clone();
    let list = activities.as_array().map(Vec::as_slice).unwrap_or_default();
    let leads = |from: &Value, to: usize| {
        let rears = from["ReardriveIndex"].as_array().map(Vec::as_slice).unwrap_or_default();
        rears.iter().any(|rear| rear.as_u64() == Some(to as u64))
    };
    for (at, activity) in told.as_array_mut().into_iter().flatten().enumerate() {
        let fronts: Vec<usize> = (0..list.len()).filter(|other| leads(&list[*other], at)).collect();
        activity["PredriveIndex"] = json!(fronts);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(word: &str, rears: &[i64]) -> Value {
        let para = match word {
            "action-trans" => json!({"TranscodeTask": {"Definition": 100_020}}),
            "action-image-sprite" => json!({"ImageSpriteTask": {"Definition": 10}}),
            _ => Value::Null,
        };
        json!({"ActivityType": word, "ReardriveIndex": rears, "ActivityPara": para})
    }

    fn shape(activities: &Value) -> Vec<(usize, Option<usize>)> {
        read(activities).unwrap().nodes.iter().map(|node| (node.place, node.parent)).collect()
    }

    #[test]
    fn branches_follow_their_parents() {
        let graph = json!([
            activity("input", &[1, 3]),
            activity("action-trans", &[2, 4]),
            activity("action-image-sprite", &[5]),
            activity("action-trans", &[5]),
            activity("action-trans", &[5]),
            activity("output", &[]),
        ]);
        assert_eq!(shape(&graph), [(1, None), (3, None), (2, Some(0)), (4, Some(0))]);
        let fronts = with_fronts(&graph);
        assert_eq!(fronts[5]["PredriveIndex"], json!([2, 3, 4]));
        assert_eq!(fronts[0]["PredriveIndex"], json!([]));
    }

    #[test]
    fn a_parent_may_stand_behind_its_child() {
        let graph = json!([
            activity("action-image-sprite", &[3]),
            activity("input", &[2]),
            activity("action-trans", &[0, 3]),
            activity("output", &[]),
        ]);
        assert_eq!(shape(&graph), [(2, None), (0, Some(0))]);
    }

    #[test]
    fn what_is_no_graph_is_refused_by_name() {
        let (input, output) = (|rears: &[i64]| activity("input", rears), activity("output", &[]));
        let trans = |rears: &[i64]| activity("action-trans", rears);
        let cases = [
            (json!([]), "MissingParameter", "Activities"),
            (json!([input(&[1]), output.clone()]), "MissingParameter", "nothing to do"),
            (json!([trans(&[1]), output.clone()]), "InvalidParameterValue", "`input`"),
            (json!([input(&[2]), input(&[2]), trans(&[])]), "InvalidParameterValue", "Activities.1"),
            (
                json!([input(&[1]), trans(&[7]), output.clone()]),
                "InvalidParameterValue",
                "Activities.1.ReardriveIndex.0",
            ),
            (json!([input(&[1]), trans(&[-1]), output.clone()]), "InvalidParameterValue", "ReardriveIndex.0"),
            (json!([input(&[1]), trans(&[0]), output.clone()]), "InvalidParameterValue", "back to the input"),
            (
                json!([input(&[1]), trans(&[3]), trans(&[2]), output.clone()]),
                "InvalidParameterValue",
                "Activities.2",
            ),
            (
                json!([input(&[1]), trans(&[2]), trans(&[3]), trans(&[2])]),
                "InvalidParameterValue",
                "one medium only",
            ),
            (
                json!([input(&[1]), trans(&[2]), trans(&[2]), output.clone()]),
                "InvalidParameterValue",
                "Activities.2",
            ),
            (
                json!([input(&[1, 2]), trans(&[3]), trans(&[3]), trans(&[])]),
                "InvalidParameterValue",
                "one medium only",
            ),
            (
                json!([input(&[1]), activity("action-fly", &[]), output.clone()]),
                "InvalidParameterValue",
                "action-fly",
            ),
            (
                json!([input(&[1]), activity("action-aiReview", &[])]),
                "UnsupportedOperation",
                "AiContentReviewTask",
            ),
            (
                json!([input(&[1]), {"ActivityType": "action-trans", "ActivityPara": {}}]),
                "MissingParameter",
                "Activities.1.ActivityPara.TranscodeTask",
            ),
            (
                json!([input(&[1]), {"ActivityType": "action-trans", "ActivityPara":
                    {"TranscodeTask": {}, "ImageSpriteTask": {}}}]),
                "InvalidParameterValue",
                "ImageSpriteTask",
            ),
            (
                json!([input(&[1]), trans(&[2]), output, activity("output", &[])]),
                "InvalidParameterValue",
                "second",
            ),
        ];
        for (activities, code, named) in cases {
            let refused = read(&activities).map(|graph| format!("{graph:?}")).unwrap_err();
            assert_eq!(refused.code, code, "{activities} {}", refused.message);
            assert!(refused.message.contains(named), "{}: {named}", refused.message);
        }
    }

    #[test]
    fn a_long_chain_is_read_and_a_longer_list_refused() {
        let mut list: Vec<Value> = (1..MOST as i64).map(|next| activity("action-trans", &[next])).collect();
        list[0] = activity("input", &[1]);
        list.push(activity("output", &[]));
        assert_eq!(read(&json!(list)).unwrap().nodes.len(), MOST - 2);
        list.push(activity("action-trans", &[]));
        assert_eq!(read(&json!(list)).unwrap_err().code, "InvalidParameterValue");
    }
}
