"""Place names of the virtual county, in English and Chinese. All are made up; any likeness to real places is chance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """A place's name for people who read English and for people who read Chinese."""

    en: str
    zh: str


LEAGUE = Name("Altan League", "阿勒坦盟")
BANNER = Name("Qingshui Banner", "清水旗")
SUMUS = (
    Name("Bayanbulag Sumu", "巴彦布拉格苏木"),
    Name("Ulaanhot Sumu", "乌兰浩特苏木"),
    Name("Tsagaannuur Sumu", "查干淖尔苏木"),
    Name("Hongqi Sumu", "红旗苏木"),
)
GACHAS = (
    Name("Narat", "那日图"),
    Name("Bulag", "布拉格"),
    Name("Hadat", "哈达图"),
    Name("Sharga", "沙尔嘎"),
    Name("Modot", "毛都图"),
    Name("Tsetseg", "其其格"),
    Name("Undur", "温都尔"),
    Name("Gurban", "古日班"),
    Name("Xinmin", "新民"),
    Name("Dongsheng", "东升"),
    Name("Shuangquan", "双泉"),
    Name("Beishan", "北山"),
)
PEOPLE = (
    Name("Bao Yulan", "包玉兰"),
    Name("Wang Jianguo", "王建国"),
    Name("Temur", "特木尔"),
    Name("Li Xiufang", "李秀芳"),
    Name("Batu", "巴图"),
    Name("Zhao Qiang", "赵强"),
)
