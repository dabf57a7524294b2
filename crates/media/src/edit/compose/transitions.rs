//! How one picture becomes the next.
//!
//! Simple ones are built into ffmpeg's filter. The others are formulas that the filter evaluates for each value of each
//! plane: of the place `X`, `Y` in a plane of `W`×`H`, of the values `A` and `B` of both pictures there, and of what is
//! still to come, `P`, which falls from 1 to 0. `A…(x,y)` and `B…(x,y)` take values from elsewhere.

/// What a word of the API looks like.
enum Way {
    /// A transition that ffmpeg has.
    Own(&'static str),
    /// The second picture is seen where this holds.
    Where(&'static str),
    /// This is the value. `@a` and `@b` stand for the values of the first and the second picture at the place kept in
    /// registers 0 and 1.
    Value(&'static str),
}

/// The words of the API.
const WAYS: &[(&str, Way)] = &[
    ("ImageFadeInFadeOut", Way::Own("fade")),
    ("BowTieHorizontal", Way::Where("gte(2*(1-P)-2*min(X,W-X)/W,abs(2*Y/H-1))")),
    ("BowTieVertical", Way::Where("gte(2*(1-P)-2*min(Y,H-Y)/H,abs(2*X/W-1))")),
    (
        "ButterflyWaveScrawler",
        Way::Value(
            "st(2,sin(PI*(1-P)));st(3,hypot(X-W/2,Y-H/2)/H);\
             st(0,X+W*0.06*ld(2)*sin(30*ld(3)+20*P));st(1,Y+H*0.06*ld(2)*cos(24*ld(3)-16*P));@a*P+@b*(1-P)",
        ),
    ),
    (
        "Cannabisleaf",
        Way::Where(
            "st(0,atan2(H/2-Y,X-W/2));lt(hypot(X-W/2,Y-H/2)/H,\
             (1+0.9*cos(8*ld(0)))*(1+0.1*cos(24*ld(0)))*(0.95+0.05*cos(200*ld(0)))*(1+sin(ld(0)))*0.4*(1-P)/(P+0.001)\
             +20*max(0,0.1-P))",
        ),
    ),
    ("Circle", Way::Own("circleclose")),
    ("CircleCrop", Way::Own("circlecrop")),
    ("Circleopen", Way::Own("circleopen")),
    (
        "Crosswarp",
        Way::Value(
            "st(2,clip(2*(1-P)+X/W-1,0,1));st(2,ld(2)*ld(2)*(3-2*ld(2)));\
             st(0,W/2+(X-W/2)*(1-ld(2)));st(1,H/2+(Y-H/2)*(1-ld(2)));st(3,@a);\
             st(0,W/2+(X-W/2)*ld(2));st(1,H/2+(Y-H/2)*ld(2));ld(3)*(1-ld(2))+@b*ld(2)",
        ),
    ),
    (
        "Cube",
        Way::Value(
            "st(2,W*P);if(lt(X,ld(2)),\
             st(3,1-0.3*(1-X/ld(2))*(1-P));st(0,X/P);st(1,H/2+(Y-H/2)/ld(3));if(between(ld(1),0,H),@a,@0),\
             st(3,1-0.3*(X-ld(2))/max(1,W-ld(2))*P);st(0,(X-ld(2))/(1-P));st(1,H/2+(Y-H/2)/ld(3));\
             if(between(ld(1),0,H),@b,@0))",
        ),
    ),
    (
        "DoomScreenTransition",
        Way::Value(
            "st(2,abs(sin(floor(X*32/W)*12.9898)*43758.5453));st(2,ld(2)-floor(ld(2)));\
             st(2,H*clip((1-P-0.4*ld(2))/0.6,0,1));st(0,X);st(1,Y-ld(2));if(lt(Y,ld(2)),B,@a)",
        ),
    ),
    (
        "Doorway",
        Way::Value(
            "st(2,(1-P)*W/2);if(gte(abs(X-W/2),ld(2)),\
             st(0,X+if(lt(X,W/2),ld(2),-ld(2)));st(1,Y);@a,\
             st(3,0.5+0.5*(1-P));st(0,W/2+(X-W/2)/ld(3));st(1,H/2+(Y-H/2)/ld(3));\
             if(between(ld(0),0,W)*between(ld(1),0,H),@b,@0))",
        ),
    ),
    (
        "Dreamy",
        Way::Value(
            "st(0,X);st(1,Y+H*0.04*(1-P)*cos(10*(1-P+X/W)));st(2,@a);\
             st(1,Y+H*0.04*P*cos(10*(P+X/W)+PI));ld(2)*P+@b*(1-P)",
        ),
    ),
    (
        "DreamyZoom",
        Way::Value(
            "st(2,1+1.2*(1-P));st(0,W/2+(X-W/2)/ld(2));st(1,Y);st(3,@a);\
             st(2,1+1.2*P);st(0,W/2+(X-W/2)/ld(2));st(4,(1-P)*(1-P)*(1+2*P));ld(3)*(1-ld(4))+@b*ld(4)",
        ),
    ),
    (
        "FilmBurn",
        Way::Value(
            "st(2,sin(PI*(1-P))*(0.6+0.4*sin(7*X/W+9*P)*cos(5*Y/H-6*P)));\
             clip(A*P+B*(1-P)+ld(2)*if(eq(PLANE,0),140,if(eq(PLANE,1),-50,if(eq(PLANE,2),50,0))),0,255)",
        ),
    ),
    (
        "GlitchMemories",
        Way::Value(
            "st(2,sin(PI*(1-P)));st(3,sin(floor(Y*18/H)*78.233+floor(P*20)*37.719)*43758.5453);\
             st(3,ld(3)-floor(ld(3))-0.5);st(0,clip(X+W*0.2*ld(2)*ld(3)*(1+0.3*PLANE),0,W-1));st(1,Y);\
             if(gt(P,0.5),@a,@b)",
        ),
    ),
    (
        "Heart",
        Way::Where(
            "st(2,min(W,H)*0.5*(1-P)/(P+0.001));st(0,(X-W/2)/(ld(2)+0.001));st(1,(H/2-Y)/(ld(2)+0.001));\
             st(3,ld(0)*ld(0)+ld(1)*ld(1)-1);lte(ld(3)*ld(3)*ld(3),ld(0)*ld(0)*ld(1)*ld(1)*ld(1))",
        ),
    ),
    (
        "InvertedPageCurl",
        Way::Value(
            "st(2,W*P);st(0,2*ld(2)-X);st(1,Y);if(gt(X,ld(2)),B,\
             if(gt(X,max(2*ld(2)-W,ld(2)-W/6)),if(eq(PLANE,0),0.5*@a+90,if(eq(PLANE,3),255,128+(@a-128)/2)),A))",
        ),
    ),
    ("Luma", Way::Where("lte(b0(X,Y)/255,(1-P)*1.01)")),
    (
        "Mosaic",
        Way::Value(
            "st(2,1+2*sin(PI*(1-P)));st(0,0.5+(X/W-0.5)*ld(2));st(1,0.5+(Y/H-0.5)*ld(2));\
             st(0,W*(ld(0)-floor(ld(0))));st(1,H*(ld(1)-floor(ld(1))));st(3,clip(5*(1-P)-2,0,1));\
             @a*(1-ld(3))+@b*ld(3)",
        ),
    ),
    ("Pinwheel", Way::Where("lt(mod(atan2(Y-H/2,X-W/2)+PI,PI/4),(1-P)*PI/4)")),
    ("PolarFunction", Way::Where("lt(hypot(X/W-0.5,Y/H-0.5),(1-P)*(1+0.25*cos(5*atan2(Y/H-0.5,X/W-0.5))))")),
    (
        "PolkaDotsCurtain",
        Way::Where("lt(hypot(mod(X,W/20)-W/40,mod(Y,W/20)-W/40)*20/W,(1-P)/(hypot(X/W,Y/H)+0.001))"),
    ),
    ("Radial", Way::Own("radial")),
    (
        "RotateScaleFade",
        Way::Value(
            "st(2,max(0.2,abs(1-2*P)));st(3,2*PI*(1-P));\
             st(0,W/2+((X-W/2)*cos(ld(3))+(Y-H/2)*sin(ld(3)))/ld(2));\
             st(1,H/2+((Y-H/2)*cos(ld(3))-(X-W/2)*sin(ld(3)))/ld(2));\
             if(between(ld(0),0,W)*between(ld(1),0,H),@a*P+@b*(1-P),@0)",
        ),
    ),
    ("Squeeze", Way::Own("squeezev")),
    (
        "Swap",
        Way::Value(
            "st(4,sin(PI*(1-P)));st(5,1-0.4*ld(4));\
             st(0,W/2+(X-W/2+W*0.3*ld(4))/ld(5));st(1,H/2+(Y-H/2)/ld(5));\
             st(2,between(ld(0),0,W)*between(ld(1),0,H));st(6,@a);\
             st(0,W/2+(X-W/2-W*0.3*ld(4))/ld(5));st(3,between(ld(0),0,W)*between(ld(1),0,H));st(7,@b);\
             if(gt(P,0.5),if(ld(2),ld(6),if(ld(3),ld(7),@0)),if(ld(3),ld(7),if(ld(2),ld(6),@0)))",
        ),
    ),
    (
        "Swirl",
        Way::Value(
            "st(2,max(0,1-2*hypot(X-W/2,Y-H/2)/hypot(W,H)));st(3,8*sin(PI*(1-P))*ld(2)*ld(2));\
             st(0,W/2+(X-W/2)*cos(ld(3))-(Y-H/2)*sin(ld(3)));st(1,H/2+(X-W/2)*sin(ld(3))+(Y-H/2)*cos(ld(3)));\
             @a*P+@b*(1-P)",
        ),
    ),
    (
        "UndulatingBurnOutSwirl",
        Way::Where(
            "st(0,atan2(Y-H/2,X-W/2));lt(hypot(X/W-0.5,Y/H-0.5),\
             0.9*(1-P)+0.06*sin(PI*(1-P))*sin(9*ld(0)+30*hypot(X/W-0.5,Y/H-0.5)-12*P))",
        ),
    ),
    ("Windowblinds", Way::Where("lt(mod(Y*10/H,1),1-P)")),
    ("WipeDown", Way::Own("wipedown")),
    ("WipeLeft", Way::Own("wipeleft")),
    ("WipeRight", Way::Own("wiperight")),
    ("WipeUp", Way::Own("wipeup")),
    (
        "ZoomInCircles",
        Way::Value(
            "st(2,hypot(X-W/2,Y-H/2)/H);st(3,0.08*sin(PI*(1-P))*sin(40*ld(2)-25*(1-P)));\
             st(0,X+(X-W/2)*ld(3));st(1,Y+(Y-H/2)*ld(3));@a*P+@b*(1-P)",
        ),
    ),
];

/// The word for the sound of two elements.
pub(super) const SOUND: &str = "AudioFadeInFadeOut";
/// What a transition between pictures is unless it says.
pub(super) const USUAL: &str = "ImageFadeInFadeOut";

/// Whether the API has this word for pictures.
pub(super) fn is_known(word: &str) -> bool {
    WAYS.iter().any(|(known, _)| *known == word)
}

/// The options of ffmpeg's filter; a word that is not known fades.
pub(super) fn options(word: &str) -> String {
    let options = formula(word);
    // The threads of the filter share the registers of a formula.
    if options.contains("ld(") { format!("{options}:threads=1") } else { options }
}

fn formula(word: &str) -> String {
    let way = WAYS.iter().find(|(known, _)| *known == word).map_or(&Way::Own("fade"), |(_, way)| way);
    match way {
        Way::Own(name) => format!("transition={name}"),
        Way::Where(holds) => {
            // The last step of the formula is the answer.
            let (before, last) = holds.rsplit_once(';').map_or(("", *holds), |(before, last)| (before, last));
            let before = if before.is_empty() { String::new() } else { format!("{before};") };
            format!("transition=custom:expr='{before}if({last},B,A)'")
        }
        Way::Value(value) => {
            let plane = |of: char| {
                let at = |nth: u8| format!("{of}{nth}(ld(0),ld(1))");
                format!(
                    "if(eq(PLANE,0),{},if(eq(PLANE,1),{},if(eq(PLANE,2),{},{})))",
                    at(0),
                    at(1),
                    at(2),
                    at(3)
                )
            };
            let black = "if(eq(PLANE,0),16,if(eq(PLANE,3),255,128))";
            let value = value.replace("@a", &plane('a')).replace("@b", &plane('b')).replace("@0", black);
            format!("transition=custom:expr='{value}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_api_has_a_way() {
        let words = "ImageFadeInFadeOut BowTieHorizontal BowTieVertical ButterflyWaveScrawler Cannabisleaf Circle \
            CircleCrop Circleopen Crosswarp Cube DoomScreenTransition Doorway Dreamy DreamyZoom FilmBurn GlitchMemories \
            Heart InvertedPageCurl Luma Mosaic Pinwheel PolarFunction PolkaDotsCurtain Radial RotateScaleFade Squeeze \
            Swap Swirl UndulatingBurnOutSwirl Windowblinds WipeDown WipeLeft WipeRight WipeUp ZoomInCircles";
        assert!(words.split_whitespace().all(is_known));
        assert_eq!(words.split_whitespace().count(), WAYS.len());
        assert!(!is_known(SOUND) && is_known(USUAL));
    }

    #[test]
    fn formulas_stay_within_their_quotes() {
        for (word, _) in WAYS {
            let options = options(word);
            assert!(matches!(options.matches('\'').count(), 0 | 2), "{word}: {options}");
            assert!(!options.contains('@'), "{word}: {options}");
        }
    }
}
