"""What the page says, in English and Chinese: two sentences a section."""

from __future__ import annotations

from mien.tasks.explain.subject import Text

SEEN = Text("What the network sees", "网络看到的图像")
DRAWN = Text("What it draws", "网络画出的图像")
ANSWER = Text("What it says", "网络的回答")
PIXELS = Text("Which pixels matter", "哪些像素重要")
PIXELS_ABOUT = Text(
    "These methods look for the places that matter to one number: {asked}. Where they agree you may trust them; where only one "
    "of them lights up, be careful.",
    "下面的方法寻找对同一个数起作用的位置:{asked}。各种方法一致之处比较可信,只有一种发亮之处则要小心。")
SMOOTHED = Text("; over the picture (left) it is smoothed", ";左图叠加前做了平滑")
METHODS: dict[str, tuple[Text, Text]] = {
    "saliency": (
        Text("Saliency", "显著图"),
        Text("The size of the gradient at each pixel: how much a tiny change there would change the score. It is noisy, since "
             "gradients jump from pixel to pixel{smoothed}.",
             "每个像素处梯度的大小:那里稍作改动,得分会变化多少。梯度在像素之间跳变,所以多噪点{smoothed}。")),
    "gradients": (
        Text("Integrated gradients", "积分梯度"),
        Text("The gradient summed on the way from black to the picture: red pixels raise the score, blue ones lower it. The sum "
             "over all pixels is the whole change of the score, here off by {gap}.",
             "沿从全黑到原图的路径累积梯度:红色像素提高得分,蓝色像素降低得分。所有像素之和等于得分的全部变化,此处误差为 {gap}。")),
    "cam": (
        Text("Grad-CAM", "Grad-CAM 类激活图"),
        Text("The maps of layer {layer}, each weighted by how much it raises the score. Coarse ({grid} cells) but steady: it "
             "shows regions, not edges.",
             "把 {layer} 层的各个特征图按其对得分的贡献加权求和。分辨率低({grid} 格)但稳定:它显示区域而不是边缘。")),
    "occlusion": (
        Text("Occlusion", "遮挡法"),
        Text("A square of {window} pixels in the picture's mean colour slides over it: red where hiding a place lowers the score, "
             "blue where it raises it. It needs no gradient; details smaller than the square do not show.",
             "用边长 {window} 像素、颜色为图像均值的方块滑过图像:遮住后得分下降处为红,上升处为蓝。"
             "它不依赖梯度,但显示不出比方块更小的细节。")),
}
FILTERS = Text("Filters of the first layer", "第一层的滤波器")
FILTERS_ABOUT = Text(
    "The weights of layer {layer} as pictures: middle grey is zero, each filter is scaled by its own largest weight. After "
    "long training these are edges, colour spots and waves; noise is what training has not reached.",
    "{layer} 层的权重画成图像:中灰为零,每个滤波器按自身最大权重缩放。充分训练后这里是边缘、色块和条纹,噪声则是训练尚未触及的部分。")
MAPS = Text("Feature maps", "特征图")
MAPS_ABOUT = Text(
    "What the units that stand out most in this picture put out, from shallow to deep; each map is scaled by its own range, dark is "
    "low. The maps shrink as they get deeper, and answer to ever larger parts of the picture.",
    "从浅到深,对这幅图反应最突出的单元的输出;每张图按自身范围缩放,暗色为低值。越深的特征图越小,对应图像中越大的部分。")
UNITS = Text("What units look for", "单元在寻找什么")
UNITS_ALONE = Text(
    "Pictures made by gradient ascent from noise so that the unit answers as strongly as possible. With --data DIR the pieces of real "
    "pictures that excite it most stand beside them.",
    "从噪声出发用梯度上升得到的、使该单元反应最强的图像。加上 --data DIR,旁边会列出真实图像中最能激发它的图块。")
UNITS_BOTH = Text(
    "Left, large: a picture made by gradient ascent from noise so that the unit answers as strongly as possible. Small: the pieces of "
    "{data} ({count} pictures) that excite it most, one a picture, cut to what the unit can see.",
    "左侧大图:从噪声出发用梯度上升得到的、使该单元反应最强的图像。小图:{data}({count} 幅图)中最能激发它的图块,"
    "每幅图取一块,按该单元能看到的范围裁剪。")
UNITS_FOUND = Text(
    "The pieces of {data} ({count} pictures) that excite each unit most, one a picture, cut to what the unit can see.",
    "{data}({count} 幅图)中最能激发各单元的图块,每幅图取一块,按该单元能看到的范围裁剪。")
LADDER = Text("From layer to layer", "逐层来看")
LADDER_ABOUT = Text(
    "Each layer has two rows, from shallow to deep: what its units look for, made from noise, and below it the piece of a real "
    "picture that excites the same unit most. First come edges and colours, then textures, then parts and whole things. Shown are "
    "the units that answer to a few of the pictures far more than to the others.",
    "自浅而深,每层两行:上行是由噪声生成的、该单元所寻找的图像,下行是真实图像中最能激发同一单元的图块。先是边缘和颜色,"
    "然后是纹理,再后是部件和整个物体。所示单元对少数图像的反应远强于对其他图像的反应。")
LADDER_KEY = Text("rows: layers, shallow above; columns: units", "行:层(浅在上);列:单元")
FIELDS = Text("Receptive fields", "感受野")
FIELDS_ABOUT = Text(
    "Each box is all that one unit can see: the unit that is strongest in its layer at its strongest place. Boxes grow with depth; "
    "what reaches over the edge is padding.",
    "每个框是一个单元所能看到的全部范围:取该层最强单元的最强位置。层越深框越大,超出图像的部分是填充。")
LAYERS = Text("All layers", "全部层")
LAYERS_ABOUT = Text("Any of these names can be given as --layer. The receptive field is in pixels of the network's input.",
                    "以下任何名称都可作为 --layer 的参数。感受野以网络输入的像素计。")
UNTRAINED = Text("This network is not trained: its weights are random.", "该网络未经训练:权重是随机的。")
